package page

import (
	"cmp"
	"math"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// maxName is the maximum length of a name, in bytes. Longer ones are those of generic functions.
const maxName = 160

// short truncates a name to maxName.
func short(name string) string { return truncate(name, maxName) }

// truncate shortens a text to n bytes, and adds an ellipsis if it was longer.
func truncate(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "") + "…"
}

// placeText returns a short name of a place: "order.go:88".
func placeText(p finding.Place) string {
	switch {
	case p == finding.Place{}:
		return "the whole process"
	case p.Function == "" && p.Entry == "":
		return "an unknown place"
	case p.Function == "" || p.File == "":
		return short(withoutPath(cmp.Or(p.Function, p.Entry)))
	case p.Line == 0:
		return short(path.Base(p.File))
	}
	return short(path.Base(p.File)) + ":" + strconv.Itoa(p.Line)
}

// withoutPath returns a function without the path of its package: "order.ask".
func withoutPath(function string) string {
	return function[strings.LastIndexByte(function, '/')+1:]
}

// originName returns the name of an origin: a function, a timer or C.
func originName(o finding.Origin) string {
	switch o.Launch {
	case "timer":
		return "a timer"
	case "c":
		return "a call from C"
	}
	name := short(o.Function)
	if o.Call != "" {
		name += " (by " + short(withoutPath(o.Call)) + ")"
	}
	return name
}

func originLine(o finding.Origin) sourceLine { return sourceLine{o.Function, o.File, o.Line} }

// serviceName returns the name of a service with its namespace.
func serviceName(s finding.Service) string {
	name := cmp.Or(s.Name, "unnamed service")
	if s.Namespace != "" {
		name = s.Namespace + "/" + name
	}
	return short(name)
}

// serviceWhere returns the environment, cluster and Kubernetes namespace of a service.
func serviceWhere(s finding.Service) string {
	var parts []string
	for _, part := range [...]string{s.Environment, s.Cluster, s.K8sNamespace} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return short(strings.Join(parts, " · "))
}

// ago returns the time between then and now: "3 h ago".
func ago(then, now time.Time) string {
	if then.IsZero() {
		return ""
	}
	if d := now.Sub(then); d >= time.Second {
		return finding.Span(d) + " ago"
	}
	return "just now"
}

// formatTime formats a time for people.
func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 Jan 2006, 15:04 UTC")
}

// rfc3339 formats a time for programs.
func rfc3339(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// formatRate formats a growth rate per hour: "+12/h".
func formatRate(n float64) string {
	if n <= 0 {
		return ""
	}
	return "+" + finding.Number(n) + "/h"
}

// formatBytes formats an amount of memory.
func formatBytes(n float64) string {
	for _, unit := range [...]string{"bytes", "KiB", "MiB", "GiB"} {
		if n < 1024 {
			return finding.Number(n) + " " + unit
		}
		n /= 1024
	}
	return finding.Number(n) + " TiB"
}

// plural returns a number with a noun: "1 leak", "2 leaks".
func plural(n float64, what string) string {
	if math.Round(n) == 1 {
		return "1 " + what
	}
	return finding.Number(n) + " " + what + "s"
}

// limitText returns which limit is reached first, and when.
func limitText(l finding.Limit) string {
	switch {
	case l.Kind == "":
		return ""
	case l.In <= 0:
		return "limit of " + string(l.Kind) + " reached"
	}
	return "limit of " + string(l.Kind) + " in " + finding.Span(l.In)
}
