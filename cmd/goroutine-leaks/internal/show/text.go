package show

import (
	"cmp"
	"fmt"
	"io"
	"strings"
)

// Text writes a report for a person.
func Text(to io.Writer, r *Report) error {
	_, err := io.WriteString(to, strings.Join(r.Lines(), "\n")+"\n")
	return err
}

// Markdown writes a report to be put into an issue.
func Markdown(to io.Writer, r *Report) error {
	var b strings.Builder
	leaks := open(r.Findings)
	if len(leaks) == 0 {
		fmt.Fprintf(&b, "**No goroutine leak found.** %s\n", escape(strings.ReplaceAll(strings.Join(r.Lines(), " "), "\n", " ")))
	}
	for i := range leaks[:min(maxTold, len(leaks))] {
		f := &leaks[i]
		fmt.Fprintf(&b, "### Goroutine leak, %s: %s\n\n%s\n\n", f.Severity, escape(cmp.Or(line(f.Head.File, f.Head.Line), f.Head.Entry)), escape(f.Evidence))
		for _, each := range r.fields(f) {
			fmt.Fprintf(&b, "- **%s**: %s\n", each.name, escape(each.text))
		}
		b.WriteString("\n")
	}
	if more := len(leaks) - maxTold; more > 0 {
		fmt.Fprintf(&b, "And %s.\n\n", count(more, "more leak"))
	}
	if len(leaks) > 0 {
		fmt.Fprintf(&b, "Judged by: %s\n", r.Thresholds)
	}
	_, err := io.WriteString(to, b.String())
	return err
}

// escape keeps what a process says from being markup.
var markup = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "|", `\|`, "#", `\#`, "!", `\!`,
	"@", "&#64;", "~", `\~`,
)

func escape(text string) string { return markup.Replace(strings.Join(strings.Fields(text), " ")) }
