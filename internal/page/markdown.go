package page

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/history"
)

// Markdown returns a finding as text to paste into an issue.
func Markdown(f *Finding, o Options) string {
	o = o.orDefaults()
	var b strings.Builder
	fmt.Fprintf(&b, "## Goroutine leak in %s at %s (%s)\n\n", escape(serviceName(f.Service)), escape(at(f.Head)), f.label())
	fmt.Fprintf(&b, "%s\n\n", escape(sentence(f.Evidence)))
	for _, row := range [...]struct{ name, value string }{
		{"waits at", codePlace(f.Head)},
		{"started by", codeOrigins(f.Creators)},
		{"healthy ones are woken by", codeOrigins(f.Wakers)},
		{"since", escape(strings.TrimPrefix(clock(began(f)), ", "))},
		{"versions", escape(versionsText(f))},
		{"limit", escape(limitText(f.Limit))},
		{"memory", escape(memoryText(f.Memory))},
		{"what would acquit it", escape(f.Acquittal)},
	} {
		if row.value != "" {
			fmt.Fprintf(&b, "- **%s**: %s\n", row.name, row.value)
		}
	}
	if class := f.Class.String(); class != "" {
		fmt.Fprintf(&b, "- **kind of mistake**: %s ([how to repair it](%s))\n", class, guideLink(f, o))
	}
	if len(f.Origins) > 0 {
		for _, s := range history.ReadStacks(f.Origins[0].Stacks) {
			fmt.Fprintf(&b, "\n%s:\n\n", escape(s.Title))
			for _, frame := range s.Frames {
				fmt.Fprintf(&b, "    %s(...)\n    \t%s:%d\n", frame.Function, frame.File, frame.Line)
			}
		}
	}
	fmt.Fprintf(&b, "\nFinding %s, by [otel-goroutine](https://github.com/otel-goroutine/otel-goroutine).\n", code(f.ID))
	return b.String()
}

// label is the severity of a finding that leaks, and the status of others.
func (f *Finding) label() string {
	if f.Status == finding.Open {
		return f.Severity.String()
	}
	return string(f.Status)
}

func guideLink(f *Finding, o Options) string {
	return secure(strings.TrimSuffix(o.RepositoryURL, "/") + "/" + f.Page)
}

// versionsText says in which versions a finding was.
func versionsText(f *Finding) string {
	switch {
	case f.FirstVersion == "":
		return ""
	case f.ClosedBy != "":
		return f.FirstVersion + " to " + f.LastVersion + ", closed by " + f.ClosedBy
	case f.Introduced:
		return "since " + f.FirstVersion
	case f.FirstVersion != f.LastVersion:
		return f.FirstVersion + " to " + f.LastVersion
	}
	return f.FirstVersion
}

func codePlace(p finding.Place) string {
	text := code(short(cmpOr(p.Function, p.Entry)))
	if p.File != "" {
		text += " (" + code(fmt.Sprintf("%s:%d", short(p.File), p.Line)) + ")"
	}
	return text
}

func codeOrigins(all []finding.Origin) string {
	var parts []string
	for _, o := range all {
		text := code(originName(o))
		if o.File != "" {
			text += " (" + code(fmt.Sprintf("%s:%d", short(o.File), o.Line)) + ")"
		}
		parts = append(parts, text+", "+percent(o.Share))
	}
	return strings.Join(parts, "; ")
}

// markup matches what Markdown and HTML give a meaning to.
var markup = regexp.MustCompile("[\\\\`*_{}\\[\\]()<>#!|~@&]")

// escape returns a name as text of Markdown, whatever it contains.
func escape(text string) string { return markup.ReplaceAllString(text, `\$0`) }

// code returns a name in code font. It cannot end it.
func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(text, "`", "'") + "`"
}
