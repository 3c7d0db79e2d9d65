// Package pullnotstopped shows iterators that are pulled from and not stopped.
package pullnotstopped

import (
	"iter"
	"strings"
)

type wordsLeaky []string

// all calls yield with each word.
func (w wordsLeaky) all(yield func(string) bool) {
	for _, word := range w {
		if !yield(word) { // leaks here
			return
		}
	}
}

// SameLeaky tells whether two texts have the same words.
//
// Mistake: at the first difference it returns, and neither iterator has come
// to its end. Each is a goroutine, which waits in its yield for somebody to ask for the
// next word, or to stop it.
func SameLeaky(a, b string) bool {
	nextA, _ := iter.Pull(wordsLeaky(strings.Fields(a)).all)
	nextB, _ := iter.Pull(wordsLeaky(strings.Fields(b)).all)
	for {
		wordA, moreA := nextA()
		wordB, moreB := nextB()
		if wordA != wordB || moreA != moreB {
			return false
		}
		if !moreA {
			return true
		}
	}
}
