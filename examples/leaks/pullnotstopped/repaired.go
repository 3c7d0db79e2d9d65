package pullnotstopped

import (
	"iter"
	"strings"
)

type textRepaired string

// words calls yield with each word of the text.
func (t textRepaired) words(yield func(string) bool) {
	for word := range strings.FieldsSeq(string(t)) {
		if !yield(word) {
			return
		}
	}
}

// SameRepaired does what SameLeaky does.
//
// The repair: stop is deferred where the iterator is begun. It is safe to call at the end
// of the iterator, and twice.
func SameRepaired(a, b string) bool {
	nextA, stopA := iter.Pull(textRepaired(a).words)
	defer stopA()
	nextB, stopB := iter.Pull(textRepaired(b).words)
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
