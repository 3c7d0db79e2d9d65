package page

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/history"
)

// servicesView is the list of services.
type servicesView struct {
	Rows []serviceRow
	Text string // where there is none
}

// serviceRow is a service in a list.
type serviceRow struct {
	Link, Name, Where string
	Standing          standing
	Up                string // targets
	Down              bool
	Goroutines        string
	Spark, SparkLabel string
	Reasons           []string // why targets are down, the most frequent first
}

// standing says how a service is.
type standing struct {
	Class, Text, Note string
	fine              bool
	rank              int // in a list: what asks for somebody first
}

func (r *renderer) services() servicesView {
	v := servicesView{}
	if len(r.site.Services) == 0 {
		v.Text = "Nothing has come yet."
	}
	for i := range r.site.Services {
		v.Rows = append(v.Rows, r.serviceRow(&r.site.Services[i]))
	}
	slices.SortStableFunc(v.Rows, func(a, b serviceRow) int { return cmp.Compare(a.Standing.rank, b.Standing.rank) })
	return v
}

func (r *renderer) serviceRow(s *history.Service) serviceRow {
	v := serviceRow{
		Link: r.links.service(s.Service), Name: serviceName(s.Service), Where: serviceWhere(s.Service), Standing: r.standing(s),
		Goroutines: plural(s.Goroutines, "goroutine"), Spark: sparkline(s.Chart.Count),
	}
	up, targets := 0, 0
	reasons := make(map[string]int)
	for _, i := range s.Instances {
		if !i.Scraped {
			continue
		}
		targets++
		if i.Up {
			up++
		} else {
			reasons[reasonText(i.Reason)]++
		}
	}
	v.Up = plural(float64(len(s.Instances)), "instance")
	if targets > 0 {
		v.Up = strconv.Itoa(up) + " of " + plural(float64(targets), "target") + " up"
		v.Down = up < targets
	}
	v.Reasons = byCount(reasons)
	if v.Spark != "" {
		v.SparkLabel = "all goroutines over " + finding.Span(s.Chart.Step*sparkSpan(s.Chart.Count))
	}
	return v
}

// sparkSpan is how many steps a sparkline covers.
func sparkSpan(values []float64) time.Duration {
	first, last := known(values)
	return time.Duration(last - first)
}

// standing says whether a service leaks, is fine, or what it needs until that can be said.
func (r *renderer) standing(s *history.Service) standing {
	worst, n := finding.None, 0
	for i := range r.site.Findings {
		if f := &r.site.Findings[i]; f.Service == s.Service && f.Status == finding.Open {
			worst = max(worst, f.Severity)
			n++
		}
	}
	watched := s.Last.Sub(s.First)
	enough := r.site.Detector.Enough()
	quiet := r.site.At.Sub(s.Last)
	down, all := targetsDown(s)
	switch {
	case n > 0:
		return standing{Class: worst.String(), Text: leaksText(n, worst), rank: -int(worst)}
	case quiet > silentAfter:
		return standing{Class: "none", rank: rankTrouble, Text: "silent", Note: "Nothing has come for " + finding.Span(quiet) + "."}
	case all:
		return standing{Class: "none", rank: rankTrouble, Text: "not watched", Note: "No target can be scraped."}
	case watched > detectorSpeaks && s.Last.Sub(s.Judged) > detectorSpeaks:
		return standing{
			Class: "none", rank: rankUnjudged, Text: "not judged as a whole",
			Note: "Nothing is flagged, but no detector says that it judges the service: leak_detect does with services: true, if it stands before this page.",
		}
	case watched < enough:
		return standing{
			Class: "none", rank: rankWaits, Text: "needs " + finding.Span(enough-watched+time.Second) + " more",
			Note: "Goroutines are aged after " + finding.Span(r.site.Detector.AgedAfter) + ", and growth must last " + finding.Span(r.site.Detector.MinDuration) + ".",
		}
	case down > 0:
		return standing{
			Class: "none", rank: rankTrouble, Text: "watched in part", Note: "Nothing grows in the targets that are up. " + r.means(watched),
		}
	case !s.Aged:
		return standing{
			Class: "fine", Text: "watched, nothing grows", fine: true, rank: rankFine,
			Note: "There are counts without ages, so a leak shows late: suspected after some 19 hours at the defaults.",
		}
	}
	return standing{Class: "fine", Text: "watched, and fine", Note: r.means(watched), fine: true, rank: rankFine}
}

// The ranks of services that do not leak; those that leak come before them.
const (
	rankTrouble = iota + 1
	rankUnjudged
	rankWaits
	rankFine
)

// leaksText says how many leaks there are, and how sure the surest is.
func leaksText(n int, worst finding.Severity) string {
	if n == 1 {
		return "1 leak, " + worst.String()
	}
	return strconv.Itoa(n) + " leaks, up to " + worst.String()
}

// detectorSpeaks is within which time a detector says something of a service: it does so at
// each scrape from the second on.
const detectorSpeaks = 5 * time.Minute

// silentAfter is after how long without data a service is called silent.
const silentAfter = 15 * time.Minute

// targetsDown returns how many targets cannot be scraped, and whether that is all instances.
func targetsDown(s *history.Service) (down int, all bool) {
	for _, i := range s.Instances {
		if i.Scraped && !i.Up {
			down++
		}
	}
	return down, down > 0 && down == len(s.Instances)
}

// serviceView is a service on a page of its own.
type serviceView struct {
	Row          serviceRow
	Anchor       string
	Findings     []rowView
	Wide, Narrow *icicle
	Lines        []lineRow
	Targets      []targetView
	MoreTargets  int
	First, Last  string
	LastISO      string
}

type lineRow struct {
	Line     lineView
	State    string
	Function string
	Count    string
	Link     string
}

type targetView struct {
	Name, Address, Version, State, Note, Goroutines string
	Class                                           string
}

// shownTargets is how many instances a page shows: those that are down come first. Lines are
// those of the table below the icicle.
const (
	shownTargets = 100
	shownLines   = 20
)

func (r *renderer) service(s *history.Service) serviceView {
	v := serviceView{
		Row: r.serviceRow(s), Anchor: "service-" + serviceID(s.Service), First: clock(s.First), Last: clock(s.Last), LastISO: machine(s.Last),
	}
	leaking := make(map[string]string)
	var versions []finding.Version
	for i := range r.site.Findings {
		f := &r.site.Findings[i]
		if f.Service != s.Service {
			continue
		}
		versions = f.Versions
		if f.Status != finding.Open && f.Status != finding.Waiting {
			continue
		}
		v.Findings = append(v.Findings, r.row(f))
		for _, p := range f.Places {
			leaking[p.Group()] = r.links.finding(f.ID)
		}
	}
	v.Wide, v.Narrow = newIcicle(s.Lines, s.Goroutines, leaking, 960), newIcicle(s.Lines, s.Goroutines, leaking, 360)
	of := &Finding{Finding: finding.Finding{Service: s.Service}, Versions: versions}
	if n := len(versions); n > 0 {
		of.LastVersion = versions[n-1].Name
	}
	for _, l := range s.Lines[:min(shownLines, len(s.Lines))] {
		v.Lines = append(v.Lines, lineRow{
			Line: r.lineOf(of, line{l.Place.Function, l.Place.File, l.Place.Line}), State: stateWord(l.Place), Function: short(l.Place.Function),
			Count: finding.Number(l.Count), Link: leaking[l.Place.Group()],
		})
	}
	for _, i := range s.Instances[:min(shownTargets, len(s.Instances))] {
		v.Targets = append(v.Targets, r.target(i))
	}
	v.MoreTargets = len(s.Instances) - len(v.Targets)
	return v
}

func (r *renderer) target(i history.Instance) targetView {
	v := targetView{Name: short(cmpOr(i.Name, "unnamed")), Address: short(i.Address), Version: short(i.Version), Goroutines: finding.Number(i.Goroutines)}
	switch {
	case i.Quiet:
		v.State, v.Class, v.Note = "quiet", "none", "last data "+ago(i.Last, r.site.At)
	case !i.Scraped:
		v.State, v.Class, v.Note = "sends", "fine", "it instruments itself"
	case i.Up && i.Source == "profile":
		v.State, v.Class, v.Note = "up", "fine", "by profile: counts without ages"
	case i.Up:
		v.State, v.Class = "up", "fine"
		if i.Took > 0 {
			v.Note = "scraped in " + i.Took.Round(time.Millisecond).String()
		}
	default:
		v.State, v.Class, v.Note = "down", "down", reasonText(i.Reason)+", "+ago(i.Since, r.site.At)
	}
	return v
}
