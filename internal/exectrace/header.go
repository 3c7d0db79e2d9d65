package exectrace

import (
	"bytes"
	"fmt"
	"strconv"
)

// headerLength is the length of a trace's header, padded with zeros:
// "go 1.26 trace\x00\x00\x00".
const headerLength = 16

// version is the Go version that first wrote a format: 23 for the one that Go
// 1.23 and 1.24 write.
type version int

// The formats that are read here. In those before 1.23 a goroutine that waits
// shows no stack. One that is newer may mean something else by the same bytes.
const (
	go123 version = 23
	go125 version = 25
	go126 version = 26
)

// readHeader returns the version in the header of a trace.
func readHeader(data []byte) (version, error) {
	if kind := otherKind(data); kind != "" {
		return 0, fmt.Errorf("%w: %s", ErrNotTrace, kind)
	}
	if len(data) < headerLength {
		return 0, fmt.Errorf("%w: cut within its header", ErrMalformed)
	}
	minor, rest, _ := bytes.Cut(bytes.TrimRight(data[:headerLength], "\x00")[len(magic):], []byte(" "))
	n, err := strconv.ParseUint(string(minor), 10, 16)
	if err != nil || string(rest) != "trace" {
		return 0, fmt.Errorf("%w: a header of another form", ErrNotTrace)
	}
	switch v := version(n); v {
	case go123, go125, go126:
		return v, nil
	}
	return 0, fmt.Errorf("%w: go 1.%d trace", ErrVersion, n)
}

// magic is what every trace of every version begins with.
const magic = "go 1."

// otherKind names what data is, if it cannot be a trace.
func otherKind(data []byte) string {
	switch {
	case len(data) == 0:
		return "an empty body"
	case bytes.HasPrefix(data, []byte(magic)), len(data) < len(magic) && bytes.HasPrefix([]byte(magic), data):
		return ""
	case bytes.HasPrefix(data, []byte{0x1f, 0x8b}):
		return "gzip, such as a goroutine profile"
	case bytes.HasPrefix(data, []byte("goroutine ")):
		return "a goroutine profile as text"
	case bytes.HasPrefix(bytes.TrimLeft(data[:min(len(data), sniffed)], " \t\r\n"), []byte("<")):
		return "HTML"
	case isText(data[:min(len(data), sniffed)]):
		return "text"
	}
	return "binary data of another kind"
}

// sniffed is how many bytes are looked at to tell what a body is, as many as
// browsers look at.
const sniffed = 512

func isText(data []byte) bool {
	for _, c := range data {
		if c < 0x20 && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
