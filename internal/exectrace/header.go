package exectrace

import (
	"bytes"
	"fmt"
	"strconv"
)

// headerLength is the length of a trace's header, padded with zeros, in bytes:
// "go 1.26 trace\x00\x00\x00".
const headerLength = 16

// version is a trace format, by the minor version of the first Go release that writes it: 23
// for Go 1.23 and 1.24.
type version int

// Supported formats. Before Go 1.23 waiting goroutines have no stacks. A newer format may
// give the same bytes another meaning.
const (
	go123 version = 23
	go125 version = 25
	go126 version = 26
)

// readHeader returns the format of a trace.
func readHeader(data []byte) (version, error) {
	if kind := otherKind(data); kind != "" {
		return 0, fmt.Errorf("%w: %s", ErrNotTrace, kind)
	}
	if len(data) < headerLength {
		return 0, fmt.Errorf("%w: truncated header", ErrMalformed)
	}
	minor, rest, _ := bytes.Cut(bytes.TrimRight(data[:headerLength], "\x00")[len(magic):], []byte(" "))
	n, err := strconv.ParseUint(string(minor), 10, 16)
	if err != nil || string(rest) != "trace" {
		return 0, fmt.Errorf("%w: unexpected header", ErrNotTrace)
	}
	switch v := version(n); v {
	case go123, go125, go126:
		return v, nil
	}
	return 0, fmt.Errorf("%w: go 1.%d trace", ErrVersion, n)
}

// magic is the prefix of traces of all formats.
const magic = "go 1."

// otherKind describes data that cannot be a trace. For a trace it returns "".
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
	case bytes.HasPrefix(bytes.TrimLeft(data[:min(len(data), sniffLength)], " \t\r\n"), []byte("<")):
		return "HTML"
	case isText(data[:min(len(data), sniffLength)]):
		return "text"
	}
	return "binary data of another kind"
}

// sniffLength is how many bytes are inspected to recognize the format of a body, the same
// number as in browsers.
const sniffLength = 512

func isText(data []byte) bool {
	for _, c := range data {
		if c < 0x20 && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
