// Package dump reads the texts in which Go writes goroutines for people: debug=1, which
// counts equal stacks, and debug=2, which lists every goroutine as a crash does.
//
// A text tells less than a profile or a trace. Of debug=1 nobody can say why a goroutine
// waits, as the frames of the runtime are left out; neither has ages that could be compared.
// A record that makes no sense is counted and passed over.
package dump

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// Form is how a text is written.
type Form string

// The forms.
const (
	Counts     Form = "debug=1"
	Goroutines Form = "debug=2"
)

// Dump is what a text says.
type Dump struct {
	Form     Form
	Snapshot *stack.Snapshot
	// Bad is how many records made no sense.
	Bad int
}

// Lacks tells what cannot be told from the text.
func (d *Dump) Lacks() string {
	if d.Form == Counts {
		return "a debug=1 text has counts only: it tells neither why goroutines wait nor how old they are"
	}
	return "a debug=2 text has counts and states: it does not tell how old goroutines are, and the process stood still while it was written"
}

// ErrNotDump is a text that is no dump of goroutines.
var ErrNotDump = errors.New("not a dump of goroutines")

var (
	countsHeader = regexp.MustCompile(`^goroutine profile: total \d+$`)
	// goroutine 18 gp=0xc000002fc0 m=nil [chan receive, 5 minutes, locked to thread]:
	goroutineHeader = regexp.MustCompile(`^goroutine \d+ (?:[^\[]* )?\[([^\]]+)\]:$`)
)

// Is tells whether a text begins as a dump does.
func Is(text []byte) bool { return formOf(text) != "" }

func formOf(text []byte) Form {
	line, _, _ := bytes.Cut(bytes.TrimLeft(text[:min(len(text), 4096)], "\r\n\t "), []byte("\n"))
	line = bytes.TrimRight(line, "\r")
	switch {
	case countsHeader.Match(line):
		return Counts
	case goroutineHeader.Match(line):
		return Goroutines
	}
	return ""
}

// Parse reads a text.
func Parse(text []byte) (*Dump, error) {
	d := &Dump{Form: formOf(text)}
	r := &reader{dump: d, groups: make(map[stack.ID]*stack.Group)}
	var err error
	switch d.Form {
	case Counts:
		err = r.lines(text, r.countsLine)
	case Goroutines:
		err = r.lines(text, r.goroutinesLine)
	default:
		return nil, ErrNotDump
	}
	if err != nil {
		return nil, err
	}
	r.end()
	d.Snapshot = &stack.Snapshot{Source: stack.SourceProfile, Groups: r.list()}
	return d, nil
}

// reader puts records together line by line.
type reader struct {
	dump   *Dump
	groups map[stack.ID]*stack.Group

	open     bool // a record has begun
	count    int
	state    stack.State // empty is unknown
	activity stack.Activity
	frames   []stack.Frame
	function string // whose line comes next
	cut      bool   // frames are left out
	ended    bool   // what comes is not of the stack any more
}

// maxLine is the longest line that is read, in bytes. Names of functions are cut at a
// thousand.
const maxLine = 1 << 20

func (r *reader) lines(text []byte, read func(string)) error {
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	for lines.Scan() {
		read(strings.TrimRight(lines.Text(), "\r"))
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrNotDump, err)
	}
	return nil
}

// countsLine reads a line of debug=1.
//
//	3 @ 0x43e6ce 0x4a9c51                                   3 goroutines have the stack that follows
//	#	0x4a9c51	main.wait+0x31	/src/main.go:12     a frame, leaf first
//	# labels: {"user":"a"}                                  passed over
func (r *reader) countsLine(line string) {
	switch {
	case strings.HasPrefix(line, "#\t"):
		if frame, ok := countsFrame(line); ok {
			r.push(frame)
		}
	case strings.HasPrefix(line, "#"), line == "", strings.HasPrefix(line, "goroutine profile:"):
	default:
		r.end()
		count, _, found := strings.Cut(line, " @ ")
		n, err := strconv.Atoi(count)
		if !found || err != nil || n <= 0 || n > maxCount {
			r.dump.Bad++
			return
		}
		r.open, r.count = true, n
	}
}

// maxCount is more goroutines than any process can have.
const maxCount = 1 << 32

func countsFrame(line string) (stack.Frame, bool) {
	fields := strings.Split(line, "\t")
	if len(fields) < 4 {
		return stack.Frame{}, false
	}
	// A name may hold "+", an offset does not.
	name := fields[2]
	if i := strings.LastIndex(name, "+0x"); i >= 0 {
		name = name[:i]
	}
	file, line1 := fileAndLine(strings.TrimSpace(fields[len(fields)-1]))
	return stack.Frame{Function: stack.Clean(name), File: file, Line: line1}, name != ""
}

// goroutinesLine reads a line of debug=2.
//
//	goroutine 18 [chan receive, 5 minutes]:
//	main.wait(0xc000012345)
//		/src/main.go:12 +0x31
//	created by main.main in goroutine 1
//		/src/main.go:8 +0x20
func (r *reader) goroutinesLine(line string) {
	switch header := goroutineHeader.FindStringSubmatch(line); {
	case header != nil:
		r.end()
		r.open, r.count = true, 1
		r.state, r.activity = stateOf(header[1])
	case strings.TrimSpace(line) == "":
		r.end()
	case !r.open:
		r.dump.Bad++
	case r.ended:
	case strings.HasPrefix(line, "\t"):
		if r.function != "" {
			place, _, _ := strings.Cut(strings.TrimSpace(line), " +0x")
			file, number := fileAndLine(place)
			r.push(stack.Frame{Function: stack.Clean(r.function), File: file, Line: number})
			r.function = ""
		}
	case strings.HasPrefix(line, "created by "):
		r.ended = true
	case strings.HasPrefix(line, "..."):
		r.cut, r.function = true, ""
	default:
		r.function = functionOf(line)
	}
}

// functionOf takes the arguments off a call.
//
//	main.(*pool).work(0xc000012345, {0x1, 0x2})  ->  main.(*pool).work
func functionOf(call string) string {
	if strings.HasSuffix(call, ")") {
		if i := strings.LastIndexByte(call, '('); i > 0 {
			return call[:i]
		}
	}
	return call
}

func fileAndLine(place string) (file string, line int) {
	i := strings.LastIndexByte(place, ':')
	if i < 0 {
		return stack.Clean(place), 0
	}
	n, err := strconv.Atoi(place[i+1:])
	if err != nil || n < 0 || n > maxCount {
		n = 0
	}
	return stack.Clean(place[:i]), n
}

func (r *reader) push(f stack.Frame) {
	if r.open && len(r.frames) < stack.MaxDepth {
		r.frames = append(r.frames, f)
	}
}

// end takes the record that was read into its group.
func (r *reader) end() {
	if r.open {
		if signature, ok := r.signature(); ok {
			of := r.groups[signature.ID]
			if of == nil {
				of = &stack.Group{Signature: signature}
				r.groups[signature.ID] = of
			}
			of.Count += r.count
		}
	}
	r.open, r.count, r.state, r.activity, r.function, r.cut, r.ended = false, 0, "", stack.Unknown, "", false, false
	r.frames = r.frames[:0]
}

// signature reads the stack as one that waits, since the frames that would tell are left out.
func (r *reader) signature() (stack.Signature, bool) {
	if r.activity == stack.Unknown {
		r.activity = stack.Waiting
	}
	s, ok := stack.Read(r.frames, r.activity)
	if !ok {
		return s, false
	}
	s.State = r.state
	if r.cut {
		s.Entry, s.EntryFile = "", ""
	}
	s.ID = stack.ID(xxhash.Sum64String(strings.Join([]string{string(s.State), s.Blamed.Function, strconv.Itoa(s.Blamed.Line), s.Entry}, "\x00")))
	return s, true
}

func (r *reader) list() []stack.Group {
	list := make([]stack.Group, 0, len(r.groups))
	for _, id := range slices.Sorted(maps.Keys(r.groups)) {
		list = append(list, *r.groups[id])
	}
	return list
}
