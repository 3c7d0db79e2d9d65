package show

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

type suite struct {
	XMLName  xml.Name   `xml:"testsuite"`
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Errors   int        `xml:"errors,attr"`
	Skipped  int        `xml:"skipped,attr"`
	Time     string     `xml:"time,attr"`
	Cases    []testCase `xml:"testcase"`
	Output   string     `xml:"system-out,omitempty"`
}

type testCase struct {
	Class   string   `xml:"classname,attr"`
	Name    string   `xml:"name,attr"`
	Failure *message `xml:"failure,omitempty"`
	Error   *message `xml:"error,omitempty"`
	Skipped *message `xml:"skipped,omitempty"`
}

type message struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit writes the result of a check as JUnit XML: a failed test for each leak, and a test for each
// target without leaks.
func JUnit(to io.Writer, r *Result) error {
	s := suite{Name: "goroutine-leaks", Time: fmt.Sprintf("%.0f", r.Watched().Seconds())}
	leaky := make(map[string]bool)
	for i := range r.Leaks {
		f := &r.Leaks[i]
		leaky[f.Service.Name] = true
		var text strings.Builder
		for _, field := range r.fields(f) {
			fmt.Fprintf(&text, "%s: %s\n", field.name, field.text)
		}
		s.Cases = append(s.Cases, testCase{
			Class: f.Service.Name, Name: strings.TrimSpace("goroutines " + f.Head.String() + " " + f.Head.Function),
			Failure: &message{"leak " + f.Severity.String() + ": " + f.Evidence, text.String()},
		})
		s.Failures++
	}
	for _, t := range r.Targets {
		c := testCase{Class: t.Name, Name: "no goroutine leaks"}
		switch doubt := r.Doubts[t.Name]; {
		case leaky[t.Service]:
			continue
		case !t.Reached:
			c.Error = &message{Message: t.Error}
			s.Errors++
		case doubt != "":
			c.Skipped = &message{Message: string(Insufficient) + ": " + doubt}
			s.Skipped++
		}
		s.Cases = append(s.Cases, c)
	}
	s.Tests = len(s.Cases)
	s.Output = strings.Join(r.exclusionLines(), "\n")
	if _, err := io.WriteString(to, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(to)
	e.Indent("", "  ")
	if err := e.Encode(s); err != nil {
		return err
	}
	_, err := io.WriteString(to, "\n")
	return err
}
