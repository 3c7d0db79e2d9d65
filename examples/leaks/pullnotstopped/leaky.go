// Package pullnotstopped shows pull iterators that are not stopped.
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

// SameLeaky reports whether two texts have the same words.
//
// Mistake: it returns at the first difference, before the iterators have ended. Each is a
// goroutine, which waits in yield until next or stop is called.
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
