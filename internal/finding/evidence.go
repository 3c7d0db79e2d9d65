package finding

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// evidence returns the evidence in one sentence:
//
//	91 goroutines older than 40 min at order.go:88, none has left, 12 more each hour, in 3 of
//	40 instances, since version 1.8.2
func (f *Finding) evidence() string {
	switch f.Status {
	case Waiting:
		return f.waiting()
	case Closed:
		return "goroutines " + f.Head.String() + " gathered" + f.versions() + ", closed by version " + f.ClosedBy + f.latest()
	case Over:
		return "goroutines " + f.Head.String() + " gathered" + f.versions() + ", " + f.Reason.words()
	}
	parts := []string{goroutinesOf(f.Count)}
	if f.Age > 0 {
		parts[0] += " older than " + span(f.Age)
	}
	parts[0] += " " + f.Head.String()
	if n := f.otherPlaces(); n > 0 {
		parts[0] += " and " + plural(float64(n), "other place")
	}
	if f.InAll > 0 && f.InAll >= minInAll*f.Count {
		parts = append(parts, number(f.InAll)+" with earlier ones")
	}
	switch {
	case f.Exits == 0:
		parts = append(parts, "none has left")
	case f.Exits > 0:
		parts = append(parts, number(f.Exits)+" have left")
	}
	if f.PerHour > 0 {
		parts = append(parts, number(f.PerHour)+" more each hour")
	}
	if len(f.Creators) > 0 {
		parts = append(parts, "started by "+f.Creators[0].String())
	}
	if len(f.Wakers) > 0 {
		parts = append(parts, "waiting for "+f.Wakers[0].String())
	}
	if f.Of > 1 {
		parts = append(parts, fmt.Sprintf("in %d of %d instances", f.Instances, f.Of))
	}
	return strings.Join(parts, ", ") + f.versions()
}

// minInAll is the least ratio of all goroutines to those that have gathered for which a sentence has both
// numbers. A smaller difference may be due to chance: some old goroutines are healthy.
const minInAll = 1.1

// otherPlaces returns the number of places beside the head. An entry is none if one of its lines is a
// place.
func (f *Finding) otherPlaces() int {
	n := 0
	for _, p := range f.Places {
		isLine := func(q Place) bool { return !q.IsEntry() && unnumbered(q.Entry) == unnumbered(p.Entry) }
		if p == f.Head || p.IsEntry() && slices.ContainsFunc(f.Places, isLine) {
			continue
		}
		n++
	}
	return n
}

// versions returns the versions of the finding in words, with the comma before them.
func (f *Finding) versions() string {
	switch {
	case f.FirstVersion == "":
		return ""
	case f.Introduced && f.Status == Open:
		return ", since version " + f.FirstVersion
	case f.FirstVersion != f.LastVersion:
		return ", in versions " + f.FirstVersion + " to " + f.LastVersion
	}
	return ", in version " + f.FirstVersion
}

func (f *Finding) waiting() string {
	text := "goroutines " + f.Head.String() + " gathered" + f.versions() + ", not seen since its processes are gone"
	if f.Certain > 0 {
		text += ", certain in " + span(f.Certain) + " at the old pace"
	}
	return text
}

func (f *Finding) latest() string {
	if f.AtLatest {
		return " at the latest"
	}
	return ""
}

// words returns the reason in words.
func (r EndReason) words() string {
	switch r {
	case Left:
		return "half of them have left"
	case Slowed:
		return "they no longer gather as leaked ones do"
	case ProcessGone:
		return "their processes are gone and they have not been seen since"
	case NoData:
		return "no data has come for too long"
	case Ignored:
		return "the configuration ignores them"
	case Expired:
		return "the leak profiles no longer name them"
	}
	return "the detector no longer flags them"
}

// sentence describes the change.
func (c *Change) sentence() string {
	f := &c.Finding
	switch c.Kind {
	case Detected:
		if f.ClosedBy != "" {
			return "leak " + f.Severity.String() + " again, in a version before " + f.ClosedBy + ", which had closed it: " + f.evidence()
		}
		return "leak " + f.Severity.String() + ": " + f.evidence()
	case Raised:
		return "leak " + f.Severity.String() + ", was " + c.Was.String() + ": " + f.evidence()
	case Lowered:
		return "leak only " + f.Severity.String() + ", was " + c.Was.String() + ": " + f.evidence()
	case Explained:
		return "leak " + f.Severity.String() + ", its origin is known now: " + f.evidence()
	case Regressed:
		return "leak is back, after version " + f.ClosedBy + " had closed it: " + f.evidence()
	case ClosedByVersion:
		return "leak closed by version " + f.ClosedBy + f.latest() + ": " + goroutinesOf(f.Missing) + " " + f.Head.String() +
			" were to be expected by now at the old pace, and none has come; they gathered" + strings.TrimPrefix(f.versions(), ",")
	}
	ended := "leak ended, "
	if c.Was == Suspected {
		ended = "leak no longer suspected, "
	}
	return ended + f.Reason.words() + ": goroutines " + f.Head.String() + " gathered" + f.versions()
}

// acquittal returns what would end the finding, as a clause after "if".
func (f *Finding) acquittal() string {
	switch {
	case f.Status == Waiting:
		return "a version has none for as long as the old pace requires"
	case f.Status != Open:
		return ""
	case f.Severity == Confirmed:
		return "two consecutive leak profiles do not name them"
	case f.Count < 2:
		return "none comes for a day"
	}
	text := fmt.Sprintf("half of them leave (%s), or none comes for a day", number(math.Ceil(f.Count/2)))
	if f.PerHour > 0 && f.Of > 1 {
		ten := time.Duration(min(10/f.PerHour, maxForecast.Hours()) * float64(time.Hour))
		text += fmt.Sprintf("; after a deploy, none comes in %s, where ten are expected", span(ten))
	}
	return text
}

func goroutinesOf(n float64) string { return plural(n, "goroutine") }

func plural(n float64, what string) string {
	if math.Round(n) == 1 {
		return "1 " + what
	}
	return number(n) + " " + what + "s"
}

// number formats a number with one decimal below ten, unless it is whole, and with commas from a
// thousand on.
func number(n float64) string {
	if n < 9.95 && math.Abs(n-math.Round(n)) > 0.05 {
		return fmt.Sprintf("%.1f", n)
	}
	digits := fmt.Sprintf("%.0f", n)
	var groups []string
	for len(digits) > 3 && digits[0] != '-' {
		groups = append([]string{digits[len(digits)-3:]}, groups...)
		digits = digits[:len(digits)-3]
	}
	return strings.Join(append([]string{digits}, groups...), ",")
}

// span formats a duration in at most two units.
func span(d time.Duration) string {
	for _, u := range [...]struct {
		size    time.Duration
		name    string
		smaller time.Duration // 0 if that does not matter
		then    string
	}{
		{24 * time.Hour, "d", time.Hour, "h"},
		{time.Hour, "h", time.Minute, "min"},
		{time.Minute, "min", 0, ""},
		{time.Second, "s", 0, ""},
	} {
		if d < u.size {
			continue
		}
		text := fmt.Sprintf("%d %s", d/u.size, u.name)
		if u.smaller > 0 && d < 10*u.size {
			if rest := d % u.size / u.smaller; rest > 0 {
				text += fmt.Sprintf(" %d %s", rest, u.then)
			}
		}
		return text
	}
	return cmp.Or(fmt.Sprintf("%d ms", max(d, 0).Milliseconds()), "0 s")
}
