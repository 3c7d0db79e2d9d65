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
	Text string // if there are no rows
}

// serviceRow is a service in a list.
type serviceRow struct {
	Link, Name, Where string
	Standing          standing
	Up                string // number of targets
	Down              bool   // a target is down
	Goroutines        string
	Spark, SparkLabel string
	Reasons           []string // why targets are down, most frequent first
}

// standing is the assessment of a service.
type standing struct {
	Class, Text, Note string // Class is a CSS class
	healthy           bool
	rank              int // in a list: services that need attention first
}

func (r *renderer) services() servicesView {
	v := servicesView{}
	if len(r.site.Services) == 0 {
		v.Text = "No data has come yet."
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
		v.SparkLabel = "all goroutines over " + finding.Span(s.Chart.Step*sparkSteps(s.Chart.Count))
	}
	return v
}

// sparkSteps returns the number of steps of a sparkline.
func sparkSteps(values []float64) time.Duration {
	first, last := knownRange(values)
	return time.Duration(last - first)
}

// standing returns whether a service leaks or is healthy, or why that is unknown.
func (r *renderer) standing(s *history.Service) standing {
	worst, leaks := finding.None, 0
	for i := range r.site.Findings {
		if f := &r.site.Findings[i]; f.Service == s.Service && f.Status == finding.Open {
			worst = max(worst, f.Severity)
			leaks++
		}
	}
	watched := s.Last.Sub(s.First)
	required := r.site.Detector.MinWatch()
	quiet := r.site.At.Sub(s.Last)
	down, allDown := targetsDown(s)
	switch {
	case leaks > 0:
		return standing{Class: worst.String(), Text: leaksText(leaks, worst), rank: -int(worst)}
	case quiet > silentAfter:
		return standing{Class: "none", rank: rankTrouble, Text: "silent", Note: "No data has come for " + finding.Span(quiet) + "."}
	case allDown:
		return standing{Class: "none", rank: rankTrouble, Text: "not watched", Note: "No target can be scraped."}
	case watched >= min(verdictInterval, required) && s.Judged.IsZero():
		return standing{
			Class: "none", rank: rankUnjudged, Text: "not judged",
			Note: "No detector has reported on the service. leak_detect does with services: true, in a pipeline before this page.",
		}
	case watched > verdictInterval && s.Last.Sub(s.Judged) > verdictInterval:
		return standing{
			Class: "none", rank: rankUnjudged, Text: "not judged any more",
			Note: "Nothing is flagged, but no detector reports on the service any more. leak_detect does with services: true, in a pipeline before this page.",
		}
	case watched < required:
		return standing{
			Class: "none", rank: rankWaiting, Text: "needs " + finding.Span(required-watched+time.Second) + " more",
			Note: "Goroutines are aged after " + finding.Span(r.site.Detector.AgedAfter) + ", and growth must last " + finding.Span(r.site.Detector.MinDuration) + ".",
		}
	case down > 0:
		return standing{
			Class: "none", rank: rankTrouble, Text: "partly watched", Note: "Nothing grows in the targets that are up. " + r.sensitivity(watched),
		}
	case !s.Aged:
		return standing{
			Class: "fine", Text: "watched, nothing grows", healthy: true, rank: rankHealthy,
			Note: "Ages are unknown, so leaks are found late: by default they are suspected after about 19 hours.",
		}
	}
	return standing{Class: "fine", Text: "watched, healthy", Note: r.sensitivity(watched), healthy: true, rank: rankHealthy}
}

// The ranks of services that do not leak; those that leak come before them.
const (
	rankTrouble = iota + 1
	rankUnjudged
	rankWaiting
	rankHealthy
)

// leaksText returns the number of leaks and the highest severity.
func leaksText(n int, worst finding.Severity) string {
	if n == 1 {
		return "1 leak, " + worst.String()
	}
	return strconv.Itoa(n) + " leaks, up to " + worst.String()
}

// verdictInterval is the longest time between two reports of a detector on a service. A detector
// reports after each scrape, from the second on.
const verdictInterval = 5 * time.Minute

// silentAfter is the time without data after which a service is silent.
const silentAfter = 15 * time.Minute

// targetsDown returns the number of targets that cannot be scraped, and whether these are all
// instances.
func targetsDown(s *history.Service) (down int, allDown bool) {
	for _, i := range s.Instances {
		if i.Scraped && !i.Up {
			down++
		}
	}
	return down, down > 0 && down == len(s.Instances)
}

// serviceView is the page of a service.
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

// The maximum number of instances on a page, and of lines in the table below the icicle.
const (
	maxTargets = 100
	maxLines   = 20
)

func (r *renderer) service(s *history.Service) serviceView {
	v := serviceView{
		Row: r.serviceRow(s), Anchor: "service-" + serviceID(s.Service), First: formatTime(s.First), Last: formatTime(s.Last), LastISO: rfc3339(s.Last),
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
	// Lines without a finding are linked to the newest version.
	newest := &Finding{Finding: finding.Finding{Service: s.Service}, Versions: versions}
	if n := len(versions); n > 0 {
		newest.LastVersion = versions[n-1].Name
	}
	for _, l := range s.Lines[:min(maxLines, len(s.Lines))] {
		v.Lines = append(v.Lines, lineRow{
			Line: r.lineOf(newest, sourceLine{l.Place.Function, l.Place.File, l.Place.Line}), State: stateText(l.Place), Function: short(l.Place.Function),
			Count: finding.Number(l.Count), Link: leaking[l.Place.Group()],
		})
	}
	for _, i := range s.Instances[:min(maxTargets, len(s.Instances))] {
		v.Targets = append(v.Targets, r.target(i))
	}
	v.MoreTargets = len(s.Instances) - len(v.Targets)
	return v
}

func (r *renderer) target(i history.Instance) targetView {
	v := targetView{Name: short(cmp.Or(i.Name, "unnamed")), Address: short(i.Address), Version: short(i.Version), Goroutines: finding.Number(i.Goroutines)}
	switch {
	case i.Quiet:
		v.State, v.Class, v.Note = "quiet", "none", "last data "+ago(i.Last, r.site.At)
	case !i.Scraped:
		v.State, v.Class, v.Note = "pushes", "fine", "instrumented, not scraped"
	case i.Up && i.Source == "profile":
		v.State, v.Class, v.Note = "up", "fine", "from profiles: ages unknown"
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
