package finding

import (
	"cmp"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// Place is where goroutines of a finding are: a line, or their entry if they have no line in
// common.
type Place struct {
	State     string `json:"state,omitempty"`
	Function  string `json:"function,omitempty"`
	File      string `json:"file,omitempty"`
	Line      int    `json:"line,omitempty"`
	Entry     string `json:"entry,omitempty"`
	EntryFile string `json:"entry_file,omitempty"`
}

func placeOf(p Point) Place {
	line, err := strconv.Atoi(p.Attributes.get(keyLine))
	if err != nil || line < 0 {
		line = 0
	}
	return Place{
		State:     p.Attributes.get(keyState),
		Function:  p.Attributes.get(keyFunction),
		File:      p.Attributes.get(keyFile),
		Line:      line,
		Entry:     p.Attributes.get(keyEntry),
		EntryFile: p.Attributes.get(keyEntryFile),
	}
}

// key identifies the place.
func (p Place) key() string {
	return strings.Join([]string{p.State, p.Function, p.File, strconv.Itoa(p.Line), p.Entry}, "\x00")
}

// IsEntry reports whether the place is an entry, not a line.
func (p Place) IsEntry() bool { return p.Function == "" && p.Entry != "" }

// file returns the file that the place is in.
func (p Place) file() string {
	if p.Function == "" {
		return p.EntryFile
	}
	return p.File
}

// String returns the place in words: "at order.go:88", with the dependency that it is in.
func (p Place) String() string {
	file := path.Base(p.file())
	var text string
	switch {
	case p == Place{}:
		return "of the whole process" // no groups, only the total number of goroutines
	case p.Function == "" && p.Entry == "":
		return "at an unknown place"
	case p.Function == "":
		text = "started with " + p.Entry
		if p.EntryFile != "" {
			text += " (" + file + ")"
		}
	case p.File == "":
		text = "in " + p.Function
	case p.Line == 0:
		text = "in " + p.Function + " (" + file + ")"
	default:
		text = "at " + file + ":" + strconv.Itoa(p.Line)
	}
	if module := p.Module(); module != "" {
		text += " in " + module
	}
	return text
}

// modulePath matches the file of a dependency: it has a version, after the module cache if the
// build did not trim paths.
var modulePath = regexp.MustCompile(`^(?:.*/pkg/mod/)?([^@]+)@(v\d[^/]*)/`)

// Module returns the dependency that the place is in, with its version: "github.com/x/y v1.2.3". It
// is empty if the file does not show one.
func (p Place) Module() string {
	found := modulePath.FindStringSubmatch(p.file())
	if found == nil {
		return ""
	}
	name := found[1]
	// In another module cache, the module begins at a folder that is a domain.
	for strings.HasPrefix(found[1], "/") && name != "" {
		folder, rest, _ := strings.Cut(name, "/")
		if strings.Contains(folder, ".") {
			break
		}
		name = rest
	}
	return unescapeModule(name) + " " + found[2]
}

// unescapeModule undoes the escaping of upper case letters in the module cache: "!a" is "A".
func unescapeModule(name string) string {
	var b strings.Builder
	upper := false
	for _, r := range name {
		switch {
		case r == '!':
			upper = true
			continue
		case upper:
			b.WriteString(strings.ToUpper(string(r)))
		default:
			b.WriteRune(r)
		}
		upper = false
	}
	return b.String()
}

// owner is the owner of the code of a place; those who can repair it come first.
type owner uint8

const (
	ownCode owner = iota
	moduleCode
	standardCode
)

func (p Place) owner() owner {
	name := cmp.Or(p.Function, p.Entry)
	first, _, _ := strings.Cut(name, "/")
	if first == name {
		first, _, _ = strings.Cut(name, ".")
	}
	switch {
	case strings.Contains(p.file(), "@v"), strings.Contains(p.file(), "/vendor/"):
		return moduleCode
	case isStandard(first):
		return standardCode
	}
	return ownCode
}

// isStandard reports whether a folder of the standard library has functions in which goroutines
// wait.
func isStandard(folder string) bool {
	switch folder {
	case "bufio", "compress", "context", "crypto", "database", "encoding", "fmt", "html", "image", "internal", "io", "iter",
		"log", "mime", "net", "os", "runtime", "sync", "syscall", "testing", "text", "time", "vendor":
		return true
	}
	return false
}

// comparePlaces orders places: lines before entries, then by owner, then by name. It ignores counts,
// so that a finding keeps its name.
func comparePlaces(a, b Place) int {
	entryOnly := func(p Place) int {
		if p.Function == "" {
			return 1
		}
		return 0
	}
	return cmp.Or(
		cmp.Compare(entryOnly(a), entryOnly(b)),
		cmp.Compare(a.owner(), b.owner()),
		cmp.Compare(a.Function, b.Function),
		cmp.Compare(a.Entry, b.Entry),
		cmp.Compare(a.File, b.File),
		cmp.Compare(a.Line, b.Line),
		cmp.Compare(a.State, b.State),
	)
}
