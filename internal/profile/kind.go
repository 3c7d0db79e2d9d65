package profile

import "fmt"

// kind is what a profile counts, as its sample types say.
type kind struct {
	// wanted is what is to be counted.
	wanted string
	types  int
	// first is the first sample type; what and unit are its names, once they
	// have come by.
	first      valueType
	what, unit name
}

// name is a string of the profile, if it has been seen.
type name struct {
	text string
	seen bool
}

// maxQuoted is how many bytes of a foreign name an error quotes, one more than the
// longest that is wanted. A byte may become four, as in \xff, and two such names must
// fit into an error of 200.
const maxQuoted = 14

func (k *kind) add(t valueType) {
	if k.types == 0 {
		k.first = t
	}
	k.types++
}

// see takes in a string of the profile. What comes before the first sample type
// is not recognized.
func (k *kind) see(i uint64, s []byte) {
	if k.types == 0 {
		return
	}
	if i == k.first.what {
		k.what = clip(s)
	}
	if i == k.first.unit {
		k.unit = clip(s)
	}
}

// clip keeps the start of a string.
func clip(s []byte) name {
	return name{text: string(s[:min(len(s), maxQuoted)]), seen: true}
}

func (k *kind) named() bool { return k.what.seen && k.unit.seen }

// check returns an error unless the profile counts what is wanted.
func (k *kind) check() error {
	if k.types == 1 && k.what.text == k.wanted && k.unit.text == "count" {
		return nil
	}
	more := ""
	if k.types > 1 {
		more = fmt.Sprintf(", and %d more", k.types-1)
	}
	return fmt.Errorf("%w than %q: its samples are %q in %q%s", ErrOtherProfile, k.wanted, k.what.text, k.unit.text, more)
}
