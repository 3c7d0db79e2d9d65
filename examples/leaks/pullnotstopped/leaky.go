// Package pullnotstopped shows iterators that are pulled from and not stopped.
package pullnotstopped

import (
	"iter"
	"strings"
)

type textLeaky string

// words calls yield with each word of the text.
func (t textLeaky) words(yield func(string) bool) {
	for word := range strings.FieldsSeq(string(t)) {
		if !yield(word) { // leaks here
			return
		}
	}
}

// SameLeaky tells whether two texts have the same words.
//
// What goes wrong: at the first difference it returns, and neither iterator has come
// to its end. Each is a goroutine, which waits in its yield for somebody to ask for the
// next word, or to stop it.
func SameLeaky(a, b string) bool {
	nextA, _ := iter.Pull(textLeaky(a).words)
	nextB, _ := iter.Pull(textLeaky(b).words)
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
