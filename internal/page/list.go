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
	Statuses   []choice
	Severities []choice
	Next, Back string
	Filtered   bool
	Calm       calmView // where nothing leaks
}

// choice is a value of a filter.
type choice struct {
	Value, Text string
	Chosen      bool
}

// calmView says what it means that nothing is found.
type calmView struct {
	Text     string
	Services int
}

func (r *renderer) list(q query) listView {
	found := q.find(r.site)
	v := listView{Query: q, Found: len(found), All: len(r.site.Findings), Filtered: q.address() != ""}
	for _, f := range cut(found, q.Page) {
		v.Rows = append(v.Rows, r.row(f))
	}
	if q.Page*perPage < len(found) {
		next := q
		next.Page++
		v.Next = "/" + next.address()
	}
	if q.Page > 1 {
		back := q
		back.Page--
		v.Back = "/" + back.address()
	}
	for _, c := range [...]struct{ value, text string }{
		{"", "not over"},
		{string(finding.Open), "open"},
		{string(finding.Waiting), "waiting"},
		{string(finding.Closed), "closed by a version"},
		{string(finding.Over), "over"},
		{allStatuses, "all"},
	} {
		v.Statuses = append(v.Statuses, choice{c.value, c.text, q.Status == c.value})
	}
	v.Severities = append(v.Severities, choice{"", "any", q.Severity == finding.None})
	for s := finding.Suspected; s <= finding.Confirmed; s++ {
		v.Severities = append(v.Severities, choice{s.String(), s.String() + orMore(s), q.Severity == s})
	}
	if len(v.Rows) == 0 {
		v.Calm = r.calm()
	}
	return v
}

func orMore(s finding.Severity) string {
	if s == finding.Confirmed {
		return ""
	}
	return " or surer"
}

// calm says what it means that nothing is found in any service.
func (r *renderer) calm() calmView {
	v := calmView{Services: len(r.site.Services)}
	longest, goroutines, fine := time.Duration(0), 0.0, 0
	for i := range r.site.Services {
		s := &r.site.Services[i]
		goroutines += s.Goroutines
		longest = max(longest, s.Last.Sub(s.First))
		if r.standing(s).fine {
			fine++
		}
	}
	switch {
	case v.Services == 0:
		v.Text = "Nothing has come yet. The page fills with the first scrape."
	case fine == 0:
		v.Text = "Watched " + plural(goroutines, "goroutine") + " in " + plural(float64(v.Services), "service") + " for " +
			finding.Span(longest) + ". Of no service it can be said that nothing leaks; each tells what is missing."
	default:
		v.Text = "Watched " + plural(goroutines, "goroutine") + " in " + plural(float64(v.Services), "service") + " for up to " +
			finding.Span(longest) + ". " + r.means(longest)
	}
	return v
}

// means says which leaks would have been found in a time.
func (r *renderer) means(watched time.Duration) string {
	slowest := r.site.Detector.Visible(watched)
	if math.IsInf(slowest, 1) {
		return ""
	}
	return "A leak that stands alone and gains " + finding.Number(max(slowest, 0.1)) + " goroutines an hour or more would have shown; a slower one may not have."
}
