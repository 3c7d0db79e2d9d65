package history

import (
	"strconv"
	"strings"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// Stack is the stack of a creator or a waker.
type Stack struct {
	Title  string
	Frames []Frame // the leaf first
}

// Frame is a frame of a stack.
type Frame struct {
	Function, File string
	Line           int
}

// The maximum number of stacks, and of frames in a stack.
const (
	maxStackCount = 12
	maxFrames     = 64
)

// ReadStacks parses stacks in the format of Go, each after a title line and separated by empty lines.
// Lines that are not frames are skipped.
//
//	created by, 8, 100%:
//	main.checkout(...)
//		/src/order.go:31
func ReadStacks(text string) []Stack {
	var all []Stack
	for part := range strings.SplitSeq(text, "\n\n") {
		if len(all) == maxStackCount {
			break
		}
		title, rest, _ := strings.Cut(strings.TrimLeft(part, "\n"), "\n")
		s := Stack{Title: finding.Clean(strings.TrimSuffix(title, ":"))}
		lines := strings.Split(rest, "\n")
		for i := 0; i+1 < len(lines) && len(s.Frames) < maxFrames; i++ {
			if f, ok := readFrame(lines[i], lines[i+1]); ok {
				s.Frames = append(s.Frames, f)
				i++
			}
		}
		if len(s.Frames) > 0 {
			all = append(all, s)
		}
	}
	return all
}

// readFrame parses the two lines of a frame.
func readFrame(call, place string) (Frame, bool) {
	function, isCall := strings.CutSuffix(call, "(...)")
	function = finding.Clean(function)
	at, isPlace := strings.CutPrefix(place, "\t")
	colon := strings.LastIndexByte(at, ':')
	if !isCall || !isPlace || function == "" || colon < 0 {
		return Frame{}, false
	}
	line, err := strconv.Atoi(at[colon+1:])
	if err != nil || line < 0 {
		return Frame{}, false
	}
	return Frame{function, finding.Clean(at[:colon]), line}, true
}
