package page

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/history"
)

// Markdown returns a finding as Markdown to paste into an issue.
func Markdown(f *Finding, o Options) string {
	o = o.orDefaults()
	var b strings.Builder
	fmt.Fprintf(&b, "## Goroutine leak in %s at %s (%s)\n\n", escapeMarkdown(serviceName(f.Service)), escapeMarkdown(placeText(f.Head)), f.label())
	fmt.Fprintf(&b, "%s\n\n", escapeMarkdown(sentence(f.Evidence)))
	for _, row := range [...]struct{ name, value string }{
		{"waits at", codePlace(f.Head)},
		{"started by", codeOrigins(f.Creators)},
		{"healthy goroutines are woken by", codeOrigins(f.Wakers)},
		{"since", escapeMarkdown(strings.TrimPrefix(formatTime(startTime(f)), ", "))},
		{"versions", escapeMarkdown(versionsText(f))},
		{"limit", escapeMarkdown(limitText(f.Limit))},
		{"memory", escapeMarkdown(memoryText(f.Memory))},
		{"no leak if", escapeMarkdown(f.Acquittal)},
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
			fmt.Fprintf(&b, "\n%s:\n\n", escapeMarkdown(s.Title))
			for _, frame := range s.Frames {
				fmt.Fprintf(&b, "    %s(...)\n    \t%s:%d\n", frame.Function, frame.File, frame.Line)
			}
		}
	}
	fmt.Fprintf(&b, "\nFinding %s, reported by [otel-goroutine](https://github.com/otel-goroutine/otel-goroutine).\n", codeSpan(f.ID))
	return b.String()
}

// label returns the severity of an open finding, and the status of any other.
func (f *Finding) label() string {
	if f.Status == finding.Open {
		return f.Severity.String()
	}
	return string(f.Status)
}

func guideLink(f *Finding, o Options) string {
	return httpsURL(strings.TrimSuffix(o.RepositoryURL, "/") + "/" + f.Page)
}

// versionsText returns the versions with a finding.
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
	text := codeSpan(short(cmp.Or(p.Function, p.Entry)))
	if p.File != "" {
		text += " (" + codeSpan(fmt.Sprintf("%s:%d", short(p.File), p.Line)) + ")"
	}
	return text
}

func codeOrigins(all []finding.Origin) string {
	var parts []string
	for _, o := range all {
		text := codeSpan(originName(o))
		if o.File != "" {
			text += " (" + codeSpan(fmt.Sprintf("%s:%d", short(o.File), o.Line)) + ")"
		}
		parts = append(parts, text+", "+percent(o.Share))
	}
	return strings.Join(parts, "; ")
}

// markdownSpecial matches characters with a meaning in Markdown or HTML.
var markdownSpecial = regexp.MustCompile("[\\\\`*_{}\\[\\]()<>#!|~@&]")

// escapeMarkdown escapes text that must not be Markdown or HTML.
func escapeMarkdown(text string) string { return markdownSpecial.ReplaceAllString(text, `\$0`) }

// codeSpan returns text as a code span, which it cannot end.
func codeSpan(text string) string {
	if text == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(text, "`", "'") + "`"
}
