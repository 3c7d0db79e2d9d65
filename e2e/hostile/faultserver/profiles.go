package main

import (
	"bytes"
	"compress/gzip"
	"runtime/pprof"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// written returns the output of write, which must not fail.
func written(write func(*bytes.Buffer) error) []byte {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func goroutines() []byte {
	return written(func(b *bytes.Buffer) error { return pprof.Lookup("goroutine").WriteTo(b, 0) })
}

func text() []byte {
	return written(func(b *bytes.Buffer) error { return pprof.Lookup("goroutine").WriteTo(b, 1) })
}

func heap() []byte {
	return written(func(b *bytes.Buffer) error { return pprof.Lookup("heap").WriteTo(b, 0) })
}

// gzipOf returns a compressed body.
func gzipOf(body func() []byte) func() []byte {
	return func() []byte {
		return written(func(b *bytes.Buffer) error {
			w := gzip.NewWriter(b)
			if _, err := w.Write(body()); err != nil {
				return err
			}
			return w.Close()
		})
	}
}

// zeroesInGzip returns 512 MiB of zeroes, compressed to half a megabyte.
func zeroesInGzip() []byte {
	return written(func(b *bytes.Buffer) error {
		w := gzip.NewWriter(b)
		zeroes := make([]byte, 1<<20)
		for range 512 {
			if _, err := w.Write(zeroes); err != nil {
				return err
			}
		}
		return w.Close()
	})
}

// message is a protobuf message under construction, with the field numbers of perftools.profiles.
type message []byte

func (m message) bytes(field protowire.Number, content []byte) message {
	return protowire.AppendBytes(protowire.AppendTag(m, field, protowire.BytesType), content)
}

func (m message) number(field protowire.Number, n uint64) message {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), n)
}

func (m message) strings(all ...string) message {
	for _, s := range all {
		m = m.bytes(6, []byte(s))
	}
	return m
}

func (m message) repeated(n int, part message) message {
	return append(m, bytes.Repeat(part, n)...)
}

// Indices in the string table of small.
const (
	gopark = iota + 3
	leaf
	file
	free // first unused index
)

// small returns a profile without samples, with the locations of a goroutine that waits in main.leaf.
func small() message {
	m := message{}.bytes(1, message{}.number(1, 1).number(2, 2))
	m = m.strings("", "goroutine", "count", "runtime.gopark", "main.leaf", "main.go")
	m = m.function(1, gopark).function(2, leaf)
	return m.location(1, 1).location(2, 2)
}

func (m message) function(id, name uint64) message {
	return m.bytes(5, message{}.number(1, id).number(2, name).number(3, name).number(4, file))
}

func (m message) location(id, function uint64) message {
	return m.bytes(4, message{}.number(1, id).bytes(4, message{}.number(1, function).number(2, 7)))
}

func (m message) sample(count uint64, locations ...uint64) message {
	return m.bytes(2, aSample(count, locations...))
}

func aSample(count uint64, locations ...uint64) message {
	var s message
	for _, id := range locations {
		s = s.number(1, id)
	}
	return s.number(2, count)
}

const millions = 2_000_000

func oneString() []byte { return small().sample(1, 1, 2).bytes(6, make([]byte, 64<<20)) }

func emptySamples() []byte {
	return small().sample(1, 1, 2).repeated(millions, message{}.bytes(2, nil))
}

// emptyLabels returns a valid profile: the receiver ignores labels.
func emptyLabels() []byte {
	m := small()
	for range 5 { // any field of 2 MiB is refused
		m = m.bytes(2, aSample(1, 1, 2).repeated(millions/5, message{}.bytes(3, nil)))
	}
	return m
}

func emptyLocations() []byte {
	return small().sample(1, 1, 2).repeated(millions, message{}.bytes(4, nil))
}

func emptyMappings() []byte {
	return small().sample(1, 1, 2).repeated(millions, message{}.bytes(3, nil))
}

func emptyStrings() []byte {
	return small().sample(1, 1, 2).repeated(millions, message{}.bytes(6, nil))
}

func noSuchString() []byte   { return small().function(3, 1<<62).location(3, 3).sample(1, 1, 3) }
func noSuchLocation() []byte { return small().sample(1, 1, 1<<63) }
func noSuchFunction() []byte { return small().location(3, 99).sample(1, 1, 3) }

// sameIDs returns a profile with two functions, and two locations, that share an ID.
func sameIDs() []byte { return small().function(2, gopark).location(2, 1).sample(1, 1, 2) }

func negativeCount() []byte { return small().sample(5, 1, 2).sample(1<<64-1, 1, 2) }

// hugeCounts returns a profile whose counts overflow an int64 in sum.
func hugeCounts() []byte { return small().sample(1<<62, 1, 2).sample(1<<62, 1, 2).sample(1<<62, 2) }

// hostileNames returns a profile of goroutines with names that a terminal, a log or a database may not handle.
func hostileNames() []byte {
	m := small()
	for i, name := range []string{
		"main.\xff\xfe\xfd", "main.two\nlines", "main.\x1b[2J\x1b]0;owned\x07", "main." + strings.Repeat("x", 1<<20), "main.\x00",
		"<script>alert(1)</script>", "\u202emain.f", "main.café",
	} {
		id := uint64(i) + 3
		m = m.strings(name).function(id, free+uint64(i)).location(id, id).sample(1, 1, id)
	}
	return m
}
