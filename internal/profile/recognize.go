package profile

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxQuotedText is how many bytes of a text an error quotes: enough for a status
// line, and fewer than 200 even if each of them is escaped as four.
const maxQuotedText = 40

// recognize describes a body that is not a profile. It returns "" if it does not know
// the format.
func recognize(body []byte) string {
	start := body[:min(len(body), 64)]
	text := strings.ToLower(strings.TrimSpace(string(start)))
	switch {
	case len(body) == 0:
		return "an empty body"
	case isGzip(body):
		return "gzip within gzip"
	case isTrace(start):
		return "an execution trace"
	case strings.HasPrefix(text, "goroutine profile: "):
		return "the text of a goroutine profile (debug=1)"
	case strings.HasPrefix(text, "goroutine "):
		return "the text of stacks (debug=2)"
	case strings.HasPrefix(text, "<!doctype html"), strings.HasPrefix(text, "<html"):
		return "a page of HTML"
	case isText(start):
		return fmt.Sprintf("text that begins with %q", start[:min(len(start), maxQuotedText)])
	}
	return ""
}

// isTrace reports whether start is the header of an execution trace, such as
// "go 1.26 trace\x00\x00\x00".
func isTrace(start []byte) bool {
	return bytes.HasPrefix(start, []byte("go 1.")) && bytes.Contains(start, []byte(" trace\x00"))
}

// isText reports whether start has only printable characters and white space. The last
// character may be incomplete.
func isText(start []byte) bool {
	for utf8.FullRune(start) {
		r, n := utf8.DecodeRune(start)
		if r == utf8.RuneError || !unicode.IsPrint(r) && !strings.ContainsRune("\t\r\n", r) {
			return false
		}
		start = start[n:]
	}
	return true
}
