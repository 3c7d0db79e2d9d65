// Package dump parses the goroutine profile in its text formats: debug=1, which counts equal
// stacks, and debug=2, which lists every goroutine as a panic does.
//
// They have less information than a profile or a trace. In debug=1 the state is unknown, since the
// runtime's frames are omitted. Neither has goroutine ages. Malformed records are counted and
// skipped.
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

// Format is a text format.
type Format string

// Formats.
const (
	Counts     Format = "debug=1"
	Goroutines Format = "debug=2"
)

// Dump is a parsed text.
type Dump struct {
	Format   Format
	Snapshot *stack.Snapshot
	// Skipped is the number of malformed records.
	Skipped int
}

// Lacks describes what the format does not contain.
func (d *Dump) Lacks() string {
	if d.Format == Counts {
		return "a debug=1 text has neither states nor ages of goroutines"
	}
	return "a debug=2 text has no ages of goroutines, and the process was stopped while it was written"
}

// ErrNotDump is returned for a text in neither format.
var ErrNotDump = errors.New("not a goroutine dump")

var (
	countsHeader = regexp.MustCompile(`^goroutine profile: total \d+$`)
	// goroutine 18 gp=0xc000002fc0 m=nil [chan receive, 5 minutes, locked to thread]:
	goroutineHeader = regexp.MustCompile(`^goroutine \d+ (?:[^\[]* )?\[([^\]]+)\]:$`)
)

// IsDump reports whether the text begins like a dump.
func IsDump(text []byte) bool { return formatOf(text) != "" }

func formatOf(text []byte) Format {
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

// Parse parses a text. It returns ErrNotDump if the format is unknown.
func Parse(text []byte) (*Dump, error) {
	d := &Dump{Format: formatOf(text)}
	p := &parser{dump: d, groups: make(map[stack.ID]*stack.Group)}
	var err error
	switch d.Format {
	case Counts:
		err = p.parseLines(text, p.countsLine)
	case Goroutines:
		err = p.parseLines(text, p.goroutinesLine)
	default:
		return nil, ErrNotDump
	}
	if err != nil {
		return nil, err
	}
	p.endRecord()
	d.Snapshot = &stack.Snapshot{Source: stack.SourceProfile, Groups: p.sortedGroups()}
	return d, nil
}

// parser assembles records from lines.
type parser struct {
	dump   *Dump
	groups map[stack.ID]*stack.Group

	inRecord   bool
	count      int
	state      stack.State // empty if unknown
	activity   stack.Activity
	frames     []stack.Frame
	function   string // of the next frame, until its file is parsed
	elided     bool   // frames are missing
	stackEnded bool   // further lines of the record are not frames
}

// maxLine is the longest line, in bytes.
const maxLine = 1 << 20

func (p *parser) parseLines(text []byte, parse func(string)) error {
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	for lines.Scan() {
		parse(strings.TrimRight(lines.Text(), "\r"))
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrNotDump, err)
	}
	return nil
}

// countsLine parses a line of debug=1.
//
//	3 @ 0x43e6ce 0x4a9c51                                   3 goroutines have the stack that follows
//	#	0x4a9c51	main.wait+0x31	/src/main.go:12     a frame, leaf first
//	# labels: {"user":"a"}                                  ignored
func (p *parser) countsLine(line string) {
	switch {
	case strings.HasPrefix(line, "#\t"):
		if frame, ok := countsFrame(line); ok {
			p.push(frame)
		}
	case strings.HasPrefix(line, "#"), line == "", strings.HasPrefix(line, "goroutine profile:"):
	default:
		p.endRecord()
		count, _, found := strings.Cut(line, " @ ")
		n, err := strconv.Atoi(count)
		if !found || err != nil || n <= 0 || n > maxCount {
			p.dump.Skipped++
			return
		}
		p.inRecord, p.count = true, n
	}
}

// maxCount is more goroutines than a process can have.
const maxCount = 1 << 32

func countsFrame(line string) (stack.Frame, bool) {
	fields := strings.Split(line, "\t")
	if len(fields) < 4 {
		return stack.Frame{}, false
	}
	// A name may contain "+", an offset does not.
	name := fields[2]
	if i := strings.LastIndex(name, "+0x"); i >= 0 {
		name = name[:i]
	}
	file, number := parseFileLine(strings.TrimSpace(fields[len(fields)-1]))
	return stack.Frame{Function: stack.Clean(name), File: file, Line: number}, name != ""
}

// goroutinesLine parses a line of debug=2.
//
//	goroutine 18 [chan receive, 5 minutes]:
//	main.wait(0xc000012345)
//		/src/main.go:12 +0x31
//	created by main.main in goroutine 1
//		/src/main.go:8 +0x20
func (p *parser) goroutinesLine(line string) {
	switch header := goroutineHeader.FindStringSubmatch(line); {
	case header != nil:
		p.endRecord()
		p.inRecord, p.count = true, 1
		p.state, p.activity = parseState(header[1])
	case strings.TrimSpace(line) == "":
		p.endRecord()
	case !p.inRecord:
		p.dump.Skipped++
	case p.stackEnded:
	case strings.HasPrefix(line, "\t"):
		if p.function != "" {
			location, _, _ := strings.Cut(strings.TrimSpace(line), " +0x")
			file, number := parseFileLine(location)
			p.push(stack.Frame{Function: stack.Clean(p.function), File: file, Line: number})
			p.function = ""
		}
	case strings.HasPrefix(line, "created by "):
		p.stackEnded = true
	case strings.HasPrefix(line, "..."):
		p.elided, p.function = true, ""
	default:
		p.function = trimArguments(line)
	}
}

// trimArguments removes the arguments of a call.
//
//	main.(*pool).work(0xc000012345, {0x1, 0x2})  ->  main.(*pool).work
func trimArguments(call string) string {
	if strings.HasSuffix(call, ")") {
		if i := strings.LastIndexByte(call, '('); i > 0 {
			return call[:i]
		}
	}
	return call
}

func parseFileLine(location string) (file string, line int) {
	i := strings.LastIndexByte(location, ':')
	if i < 0 {
		return stack.Clean(location), 0
	}
	n, err := strconv.Atoi(location[i+1:])
	if err != nil || n < 0 || n > maxCount {
		n = 0
	}
	return stack.Clean(location[:i]), n
}

func (p *parser) push(f stack.Frame) {
	if p.inRecord && len(p.frames) < stack.MaxDepth {
		p.frames = append(p.frames, f)
	}
}

// endRecord adds the current record, if there is one, to its group.
func (p *parser) endRecord() {
	if p.inRecord {
		if signature, ok := p.signature(); ok {
			group := p.groups[signature.ID]
			if group == nil {
				group = &stack.Group{Signature: signature}
				p.groups[signature.ID] = group
			}
			group.Count += p.count
		}
	}
	p.inRecord, p.count, p.state, p.activity, p.function, p.elided, p.stackEnded = false, 0, "", stack.Unknown, "", false, false
	p.frames = p.frames[:0]
}

// signature returns the signature of the current record. In debug=1 the activity is unknown, and
// the goroutine is assumed to wait.
func (p *parser) signature() (stack.Signature, bool) {
	if p.activity == stack.Unknown {
		p.activity = stack.Waiting
	}
	s, ok := stack.Read(p.frames, p.activity)
	if !ok {
		return s, false
	}
	s.State = p.state
	if p.elided {
		s.Entry, s.EntryFile = "", ""
	}
	s.ID = stack.ID(xxhash.Sum64String(strings.Join([]string{string(s.State), s.Blamed.Function, strconv.Itoa(s.Blamed.Line), s.Entry}, "\x00")))
	return s, true
}

func (p *parser) sortedGroups() []stack.Group {
	list := make([]stack.Group, 0, len(p.groups))
	for _, id := range slices.Sorted(maps.Keys(p.groups)) {
		list = append(list, *p.groups[id])
	}
	return list
}
