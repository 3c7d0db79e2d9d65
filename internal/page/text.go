package page

import (
	"math"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// shownName is how much of a name is shown, in bytes: long ones are those of generic code.
const shownName = 160

// short returns a name that is not too long to be shown.
func short(name string) string { return shortened(name, shownName) }

func shortened(name string, most int) string {
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most], "") + "…"
}

// at returns a line as people speak of it: "order.go:88".
func at(p finding.Place) string {
	switch {
	case p == finding.Place{}:
		return "the whole process"
	case p.Function == "" && p.Entry == "":
		return "an unknown place"
	case p.Function == "" || p.File == "":
		return short(packageless(cmpOr(p.Function, p.Entry)))
	case p.Line == 0:
		return short(path.Base(p.File))
	}
	return short(path.Base(p.File)) + ":" + strconv.Itoa(p.Line)
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// packageless returns a function without the path of its package: "order.ask".
func packageless(function string) string {
	return function[strings.LastIndexByte(function, '/')+1:]
}

// originName returns what starts or wakes goroutines: a function, a timer or C.
func originName(o finding.Origin) string {
	switch o.Launch {
	case "timer":
		return "a timer"
	case "c":
		return "a call from C"
	}
	name := short(o.Function)
	if o.Call != "" {
		name += " (by " + short(packageless(o.Call)) + ")"
	}
	return name
}

// originLine returns the line of an origin.
func originLine(o finding.Origin) line { return line{o.Function, o.File, o.Line} }

// serviceName returns a service as people speak of it.
func serviceName(s finding.Service) string {
	name := cmpOr(s.Name, "unnamed service")
	if s.Namespace != "" {
		name = s.Namespace + "/" + name
	}
	return short(name)
}

// serviceWhere returns what else tells a service apart.
func serviceWhere(s finding.Service) string {
	var parts []string
	for _, part := range [...]string{s.Environment, s.Cluster, s.K8sNamespace} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return short(strings.Join(parts, " · "))
}

// ago returns how long before now a time was.
func ago(then, now time.Time) string {
	if then.IsZero() {
		return ""
	}
	if d := now.Sub(then); d >= time.Second {
		return finding.Span(d) + " ago"
	}
	return "just now"
}

// clock returns a time for people.
func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 Jan 2006, 15:04 UTC")
}

// machine returns a time for programs.
func machine(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// perHour returns a growth: "+12/h".
func perHour(n float64) string {
	if n <= 0 {
		return ""
	}
	return "+" + finding.Number(n) + "/h"
}

// bytesOf returns an amount of memory for people.
func bytesOf(n float64) string {
	for _, unit := range [...]string{"bytes", "KiB", "MiB", "GiB"} {
		if n < 1024 {
			return finding.Number(n) + " " + unit
		}
		n /= 1024
	}
	return finding.Number(n) + " TiB"
}

// plural returns a number of things.
func plural(n float64, what string) string {
	if math.Round(n) == 1 {
		return "1 " + what
	}
	return finding.Number(n) + " " + what + "s"
}

// limitText returns what a finding runs into first, and when.
func limitText(l finding.Limit) string {
	switch {
	case l.Kind == "":
		return ""
	case l.In <= 0:
		return "limit of " + string(l.Kind) + " reached"
	}
	return "limit of " + string(l.Kind) + " in " + finding.Span(l.In)
}
