package page

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// query selects findings.
type query struct {
	Text     string           // words that must all occur
	Severity finding.Severity // minimum
	Status   string           // if empty, open or waiting
	Page     int              // from 1
}

// allStatuses is the value of the parameter status for findings in any status.
const allStatuses = "all"

const (
	maxQuery = 200 // bytes of text
	maxPage  = 1_000_000
)

// parseQuery parses the parameters of a URL, ignoring invalid values.
func parseQuery(values url.Values) query {
	text := finding.Clean(values.Get("q"))
	q := query{Text: strings.TrimSpace(strings.ToValidUTF8(text[:min(maxQuery, len(text))], "")), Page: 1}
	for s := finding.Suspected; s <= finding.Confirmed; s++ {
		if values.Get("severity") == s.String() {
			q.Severity = s
		}
	}
	switch status := values.Get("status"); status {
	case string(finding.Open), string(finding.Waiting), string(finding.Closed), string(finding.Over), allStatuses:
		q.Status = status
	}
	if n, err := strconv.Atoi(values.Get("page")); err == nil && n > 0 && n <= maxPage {
		q.Page = n
	}
	return q
}

// encode returns the query as parameters of a URL, with the question mark; empty for the default
// query.
func (q query) encode() string {
	values := url.Values{}
	if q.Text != "" {
		values.Set("q", q.Text)
	}
	if q.Severity > finding.None {
		values.Set("severity", q.Severity.String())
	}
	if q.Status != "" {
		values.Set("status", q.Status)
	}
	if q.Page > 1 {
		values.Set("page", strconv.Itoa(q.Page))
	}
	if len(values) == 0 {
		return ""
	}
	return "?" + values.Encode()
}

// matches reports whether a finding matches the query.
func (q query) matches(f *Finding) bool {
	switch q.Status {
	case "":
		if f.Status == finding.Closed || f.Status == finding.Over {
			return false
		}
	case allStatuses:
	default:
		if string(f.Status) != q.Status {
			return false
		}
	}
	if f.Severity < q.Severity {
		return false
	}
	for word := range strings.FieldsSeq(strings.ToLower(q.Text)) {
		if !mentions(f, word) {
			return false
		}
	}
	return true
}

// mentions reports whether any name of a finding contains word, which must be in lower case.
func mentions(f *Finding, word string) bool {
	contains := func(text string) bool { return strings.Contains(strings.ToLower(text), word) }
	for _, text := range [...]string{
		f.ID, f.Service.Name, f.Service.Namespace, f.Service.Environment, f.Service.Cluster, f.Service.K8sNamespace,
		f.FirstVersion, f.LastVersion, f.ClosedBy, f.Class.String(), f.Severity.String(), placeText(f.Head),
	} {
		if contains(text) {
			return true
		}
	}
	for _, p := range f.Places {
		if contains(p.Function) || contains(p.File) || contains(p.Entry) || contains(p.State) {
			return true
		}
	}
	for _, o := range f.Creators {
		if contains(o.Function) || contains(o.File) {
			return true
		}
	}
	return false
}

// find returns the matching findings in the order of the Site.
func (q query) find(s *Site) []*Finding {
	var found []*Finding
	for i := range s.Findings {
		if q.matches(&s.Findings[i]) {
			found = append(found, &s.Findings[i])
		}
	}
	return found
}

// perPage is the number of findings on a page. A browser needs a millisecond for each before the
// first paint.
const perPage = 50

// pageOf returns the elements on a page, from 1.
func pageOf[T any](all []T, page int) []T {
	from := min((page-1)*perPage, len(all))
	return all[from:min(from+perPage, len(all))]
}
