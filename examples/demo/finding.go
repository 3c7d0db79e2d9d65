package main

import (
	"cmp"
	"fmt"
	"path"
)

// severity is how sure the collector is.
type severity int

// The severities of DESIGN; 0 is none.
const (
	suspected severity = iota + 1
	probable
	confirmed
)

func (s severity) String() string {
	switch s {
	case suspected:
		return "suspected"
	case probable:
		return "probable"
	case confirmed:
		return "confirmed"
	}
	return fmt.Sprintf("severity %d", int(s))
}

// group is what a finding is about.
type group struct {
	// signature is empty where an entry is flagged, or a whole process.
	signature string
	entry     string
}

// finding is a group that the collector has flagged.
type finding struct {
	group
	severity severity
	state    string
	function string // blamed
	file     string
	line     string
	count    float64 // believed leaked
	perHour  float64
}

func newFinding(labels map[string]string) finding {
	return finding{
		group: group{
			signature: labels["goroutine_stack_signature"],
			entry:     labels["goroutine_entry_function_name"],
		},
		state:    labels["goroutine_state"],
		function: labels["code_function_name"],
		file:     cmp.Or(labels["code_file_path"], labels["goroutine_entry_file_path"]),
		line:     labels["code_line_number"],
	}
}

// subject names the function that is flagged.
func (f finding) subject() string {
	switch {
	case f.function != "":
		return f.function
	case f.entry != "":
		return f.entry + " (entry)"
	}
	return cmp.Or(f.signature, "the whole process")
}

// place returns the file without its directories, and the line.
func (f finding) place() string {
	switch {
	case f.file == "":
		return "-"
	case f.line == "" || f.line == "0":
		return path.Base(f.file)
	}
	return path.Base(f.file) + ":" + f.line
}

// String tells a finding in one line.
//
//	probable: main.f at f.go:12 (chan_send), 31 leaked, 7200 more an hour
func (f finding) String() string {
	where := ""
	if f.function != "" {
		where = fmt.Sprintf(" at %s (%s)", f.place(), cmp.Or(f.state, "-"))
	}
	return fmt.Sprintf("%v: %s%s, %.0f leaked, %.0f more an hour", f.severity, f.subject(), where, f.count, f.perHour)
}
