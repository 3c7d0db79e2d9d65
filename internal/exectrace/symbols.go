package exectrace

import (
	"encoding/binary"
	"iter"
	"strings"

	"golang.org/x/exp/trace"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// Limits of the names that a Follower keeps over all generations. A service of 30 MB has some
// thousands of frames in a second.
const (
	maxKeptFrames = 1 << 16
	maxKeptStacks = 1 << 15
	// maxKeptBytes is the most bytes of all names and stacks.
	maxKeptBytes = 3 << 20
)

// symbols numbers the names, frames and stacks that outlive their generation. Equal stacks
// have the same number, even if their IDs differ between generations.
type symbols struct {
	names    []string
	nameOf   map[string]int32
	frames   []symbol
	frameOf  map[symbol]int32
	stacks   []string // the numbers of the frames, leaf first, 4 bytes each
	stackOf  map[string]int32
	bytes    int
	tooLarge bool
	// root is the folder of the standard library, with a trailing slash; empty if unknown.
	root string
	// key is a buffer for the key of a stack.
	key []byte
}

// symbol is a frame by the numbers of its names.
type symbol struct {
	function, file int32
	line           int32
}

func newSymbols() *symbols {
	return &symbols{
		nameOf:  make(map[string]int32),
		frameOf: make(map[symbol]int32),
		stackOf: make(map[string]int32),
	}
}

// name returns the number of a name.
func (s *symbols) name(raw []byte) int32 {
	raw = raw[:min(len(raw), stack.MaxNameLength)]
	if n, known := s.nameOf[string(raw)]; known {
		return n
	}
	n := int32(len(s.names))
	name := stack.Clean(string(raw))
	s.names = append(s.names, name)
	s.nameOf[string(raw)] = n
	s.charge(2 * len(raw))
	return n
}

// frame returns the number of a frame.
func (s *symbols) frame(f symbol) int32 {
	n, known := s.frameOf[f]
	if known {
		return n
	}
	n = int32(len(s.frames))
	s.frames = append(s.frames, f)
	s.frameOf[f] = n
	s.tooLarge = s.tooLarge || len(s.frames) > maxKeptFrames
	if s.root == "" && strings.HasPrefix(s.names[f.function], "runtime.") {
		s.root = standardRoot(s.names[f.file])
	}
	return n
}

// standardRoot returns the folder of the standard library, given the path of a file of package
// runtime. It is empty for a build with -trimpath.
//
//	/usr/local/go/src/runtime/proc.go  ->  /usr/local/go/src/
//	runtime/proc.go                    ->  none
func standardRoot(file string) string {
	const folder = "/src/"
	if at := strings.LastIndex(file, folder+"runtime/"); at >= 0 {
		return file[:at+len(folder)]
	}
	return ""
}

// stack returns the number of the stack with these frames.
func (s *symbols) stack(frames []int32) int32 {
	s.key = s.key[:0]
	for _, f := range frames {
		s.key = binary.LittleEndian.AppendUint32(s.key, uint32(f))
	}
	if n, known := s.stackOf[string(s.key)]; known {
		return n
	}
	n := int32(len(s.stacks))
	key := string(s.key)
	s.stacks = append(s.stacks, key)
	s.stackOf[key] = n
	s.charge(len(key))
	s.tooLarge = s.tooLarge || len(s.stacks) > maxKeptStacks
	return n
}

func (s *symbols) charge(bytes int) {
	s.bytes += bytes
	s.tooLarge = s.tooLarge || s.bytes > maxKeptBytes
}

// depth returns the number of frames of a stack.
func (s *symbols) depth(n int32) int { return len(s.stacks[n]) / 4 }

// leaf returns the number of the first frame of a stack, or -1 if it is empty.
func (s *symbols) leaf(n int32) int32 {
	if s.depth(n) == 0 {
		return -1
	}
	return int32(binary.LittleEndian.Uint32([]byte(s.stacks[n][:4])))
}

// framesOf returns the frames of a stack in the form of the trace reader.
func (s *symbols) framesOf(n int32) iter.Seq[trace.StackFrame] {
	return func(yield func(trace.StackFrame) bool) {
		for i := range s.depth(n) {
			f := s.frames[binary.LittleEndian.Uint32([]byte(s.stacks[n][4*i:4*i+4]))]
			if !yield(trace.StackFrame{Func: s.names[f.function], File: s.names[f.file], Line: uint64(f.line)}) {
				return
			}
		}
	}
}

// stackFrames returns the named frames of a stack, leaf first; nil for noStack.
func (s *symbols) stackFrames(n int32) []stack.Frame {
	if n == noStack {
		return nil
	}
	frames := make([]stack.Frame, 0, s.depth(n))
	for f := range s.framesOf(n) {
		if f.Func != "" {
			frames = append(frames, stack.Frame{Function: f.Func, File: f.File, Line: lineNumber(f.Line)})
		}
	}
	return frames
}
