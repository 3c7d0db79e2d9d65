package profile

import "fmt"

// kind is what a profile counts, according to its sample types.
type kind struct {
	// expected is the name of the sample type that the profile should have.
	expected string
	types    int
	// first is the first sample type; what and unit are its names, once the strings
	// with their indexes have been read.
	first      valueType
	what, unit name
}

// name is a string of the profile, which may not have been read yet.
type name struct {
	text string
	seen bool
}

// maxQuoted is how many bytes of a name an error quotes, one more than the longest
// expected one. Escaping may turn a byte into four, as in \xff, and two names must fit into
// an error of 200 bytes.
const maxQuoted = 14

func (k *kind) add(t valueType) {
	if k.types == 0 {
		k.first = t
	}
	k.types++
}

// observe records string i of the profile if the sample type refers to it. Strings before
// the first sample type are missed; see tables.checkKind.
func (k *kind) observe(i uint64, s []byte) {
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

// clip returns the start of s as a name.
func clip(s []byte) name {
	return name{text: string(s[:min(len(s), maxQuoted)]), seen: true}
}

func (k *kind) isNamed() bool { return k.what.seen && k.unit.seen }

// check returns an error unless the profile is of the expected kind.
func (k *kind) check() error {
	if k.types == 1 && k.what.text == k.expected && k.unit.text == "count" {
		return nil
	}
	more := ""
	if k.types > 1 {
		more = fmt.Sprintf(" and %d more", k.types-1)
	}
	return fmt.Errorf("%w: samples are %q in %q%s, want %q", ErrOtherProfile, k.what.text, k.unit.text, more, k.expected)
}
