package pullnotstopped

import (
	"iter"
	"strings"
)

type wordsRepaired []string

// all calls yield with each word.
func (w wordsRepaired) all(yield func(string) bool) {
	for _, word := range w {
		if !yield(word) {
			return
		}
	}
}

// SameRepaired is SameLeaky without the leak.
//
// Fix: defer stop after iter.Pull. It is idempotent, and safe to call after the iterator
// has ended.
func SameRepaired(a, b string) bool {
	nextA, stopA := iter.Pull(wordsRepaired(strings.Fields(a)).all)
	defer stopA()
	nextB, stopB := iter.Pull(wordsRepaired(strings.Fields(b)).all)
	defer stopB()
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
