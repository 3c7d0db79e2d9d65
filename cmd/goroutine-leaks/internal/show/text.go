package show

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Text writes a report as text.
func Text(to io.Writer, r *Report) error {
	_, err := io.WriteString(to, strings.Join(r.Lines(), "\n")+"\n")
	return err
}

// Markdown writes a report as Markdown, for an issue.
func Markdown(to io.Writer, r *Report) error {
	var b strings.Builder
	leaks := openFindings(r.Findings)
	if len(leaks) == 0 {
		fmt.Fprintf(&b, "**No goroutine leak found.**\n\n    %s\n", strings.Join(r.Lines(), "\n    "))
	}
	for i := range leaks[:min(maxFindings, len(leaks))] {
		f := &leaks[i]
		fmt.Fprintf(&b, "### Goroutine leak, %s: %s\n\n%s\n\n", f.Severity, escape(cmp.Or(FileLine(f.Head.File, f.Head.Line), f.Head.Entry)), escape(f.Evidence))
		for _, field := range r.fields(f) {
			fmt.Fprintf(&b, "- **%s**: %s\n", field.name, escape(field.text))
		}
		b.WriteString("\n")
	}
	if more := len(leaks) - maxFindings; more > 0 {
		fmt.Fprintf(&b, "And %s.\n\n", plural(more, "more leak"))
	}
	if len(leaks) > 0 {
		fmt.Fprintf(&b, "Thresholds: %s %s\n", r.Thresholds, r.nextStep())
		for _, text := range slices.Concat(r.notes(), r.exclusionLines(), r.problems()) {
			fmt.Fprintf(&b, "\n%s\n", escape(text))
		}
	}
	_, err := io.WriteString(to, b.String())
	return err
}

var markup = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "|", `\|`, "#", `\#`, "!", `\!`,
	"@", "&#64;", "~", `\~`,
)

// escape escapes Markdown in names from a process.
func escape(text string) string { return markup.Replace(strings.Join(strings.Fields(text), " ")) }
