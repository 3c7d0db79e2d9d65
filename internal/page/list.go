package page

import (
	"math"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// listView is the list of findings.
type listView struct {
	Query      query
	Rows       []rowView
	Found, All int
	Statuses   []option
	Severities []option
	Next, Prev string // URLs
	Filtered   bool
	NoLeaks    noLeaksView // if there are no rows
}

// option is an option of a filter.
type option struct {
	Value, Text string
	Selected    bool
}

// noLeaksView says what an empty list means.
type noLeaksView struct {
	Text     string
	Services int
}

func (r *renderer) list(q query) listView {
	found := q.find(r.site)
	v := listView{Query: q, Found: len(found), All: len(r.site.Findings), Filtered: q.encode() != ""}
	for _, f := range pageOf(found, q.Page) {
		v.Rows = append(v.Rows, r.row(f))
	}
	if q.Page*perPage < len(found) {
		next := q
		next.Page++
		v.Next = "/" + next.encode()
	}
	if q.Page > 1 {
		prev := q
		prev.Page--
		v.Prev = "/" + prev.encode()
	}
	for _, c := range [...]struct{ value, text string }{
		{"", "open or waiting"},
		{string(finding.Open), "open"},
		{string(finding.Waiting), "waiting"},
		{string(finding.Closed), "closed by a version"},
		{string(finding.Over), "over"},
		{allStatuses, "all"},
	} {
		v.Statuses = append(v.Statuses, option{c.value, c.text, q.Status == c.value})
	}
	v.Severities = append(v.Severities, option{"", "any", q.Severity == finding.None})
	for s := finding.Suspected; s <= finding.Confirmed; s++ {
		v.Severities = append(v.Severities, option{s.String(), s.String() + orHigher(s), q.Severity == s})
	}
	if len(v.Rows) == 0 {
		v.NoLeaks = r.noLeaks()
	}
	return v
}

func orHigher(s finding.Severity) string {
	if s == finding.Confirmed {
		return ""
	}
	return " or higher"
}

// noLeaks returns what it means that no service has a finding.
func (r *renderer) noLeaks() noLeaksView {
	v := noLeaksView{Services: len(r.site.Services)}
	longest, goroutines, healthy := time.Duration(0), 0.0, 0
	for i := range r.site.Services {
		s := &r.site.Services[i]
		goroutines += s.Goroutines
		longest = max(longest, s.Last.Sub(s.First))
		if r.standing(s).healthy {
			healthy++
		}
	}
	switch {
	case v.Services == 0:
		v.Text = "No data has come yet. The page fills with the first scrape."
	case healthy == 0:
		v.Text = "Watched " + plural(goroutines, "goroutine") + " in " + plural(float64(v.Services), "service") + " for " +
			finding.Span(longest) + ". No service can be called healthy yet; each says what is missing."
	default:
		v.Text = "Watched " + plural(goroutines, "goroutine") + " in " + plural(float64(v.Services), "service") + " for up to " +
			finding.Span(longest) + ". " + r.sensitivity(longest)
	}
	return v
}

// sensitivity returns which leaks would have been found in a time.
func (r *renderer) sensitivity(watched time.Duration) string {
	slowest := r.site.Detector.SlowestLeak(watched)
	if math.IsInf(slowest, 1) {
		return ""
	}
	return "A leak that stands alone and gains " + finding.Number(max(slowest, 0.1)) + " goroutines an hour or more would have shown; a slower one may not."
}
