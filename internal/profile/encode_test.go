package profile

import (
	"bytes"
	"compress/gzip"
	"io"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// message is a protobuf message under construction, to build profiles that pprof would not
// write.
type message []byte

func (m message) number(field protowire.Number, v uint64) message {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), v)
}

func (m message) bytes(field protowire.Number, b []byte) message {
	return protowire.AppendBytes(protowire.AppendTag(m, field, protowire.BytesType), b)
}

func (m message) packed(field protowire.Number, values ...uint64) message {
	var b []byte
	for _, v := range values {
		b = protowire.AppendVarint(b, v)
	}
	return m.bytes(field, b)
}

func (m message) then(parts ...message) message {
	return message(bytes.Join(append([][]byte{m}, asBytes(parts)...), nil))
}

func asBytes(parts []message) [][]byte {
	var all [][]byte
	for _, p := range parts {
		all = append(all, p)
	}
	return all
}

// The elements of a profile.

func aSampleType(what, unit uint64) message {
	return message{}.bytes(1, message{}.number(1, what).number(2, unit))
}

func aSample(count uint64, locations ...uint64) message {
	return message{}.bytes(2, message{}.packed(1, locations...).packed(2, count))
}

func aMapping(file uint64) message {
	return message{}.bytes(3, message{}.number(1, 1).number(5, file))
}

func aBuild(file, build uint64) message {
	return message{}.bytes(3, message{}.number(1, 1).number(5, file).number(6, build))
}

func aLocation(id uint64, lines ...message) message {
	m := message{}.number(1, id)
	for _, l := range lines {
		m = m.bytes(4, l)
	}
	return message{}.bytes(4, m)
}

func aLine(function, line uint64) message {
	return message{}.number(1, function).number(2, line)
}

func aFunction(id, name, file uint64) message {
	return message{}.bytes(5, message{}.number(1, id).number(2, name).number(3, name).number(4, file))
}

func someStrings(all ...string) message {
	var m message
	for _, s := range all {
		m = m.bytes(6, []byte(s))
	}
	return m
}

// small returns the parts of a profile of 7 goroutines that wait in main.leaf, which is
// inlined into main.root.
func small() []message {
	return []message{
		aSampleType(1, 2),
		aSample(7, 1, 2),
		aMapping(7),
		aLocation(1, aLine(1, 10)),
		aLocation(2, aLine(2, 20), aLine(3, 30)),
		aFunction(1, 3, 6),
		aFunction(2, 4, 6),
		aFunction(3, 5, 6),
		someStrings("", "goroutine", "count", "runtime.gopark", "main.leaf", "main.root", "main.go", "/app"),
	}
}

// with returns the small profile with one part replaced.
func with(i int, part message) message {
	parts := small()
	parts[i] = part
	return message{}.then(parts...)
}

// after returns the small profile with another part at the end.
func after(part message) message {
	return message{}.then(small()...).then(part)
}

// padding returns at least size bytes of unknown fields.
func padding(size int) message {
	one := message{}.bytes(100, make([]byte, 1000))
	return bytes.Repeat(one, size/len(one)+1)
}

func gunzip(t testing.TB, data []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func compress(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestSpeed) // as Go does
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
