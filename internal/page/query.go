package page

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// query says which findings are wanted.
type query struct {
	Text     string
	Severity finding.Severity // the least
	Status   string           // empty is what is not over
	Page     int              // from 1 on
}

// allStatuses is the value of the parameter status that asks for every finding.
const allStatuses = "all"

// The most that is taken of a text, and the most pages.
const (
	maxQuery = 200
	maxPage  = 1_000_000
)

// parseQuery reads the parameters of an address. What makes no sense is left out.
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

// address returns the parameters that parseQuery reads as the query.
func (q query) address() string {
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

// wants reports whether a finding is wanted.
func (q query) wants(f *Finding) bool {
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

// mentions reports whether any name of a finding contains a word in lower case.
func mentions(f *Finding, word string) bool {
	contains := func(text string) bool { return strings.Contains(strings.ToLower(text), word) }
	for _, text := range [...]string{
		f.ID, f.Service.Name, f.Service.Namespace, f.Service.Environment, f.Service.Cluster, f.Service.K8sNamespace,
		f.FirstVersion, f.LastVersion, f.ClosedBy, f.Class.String(), f.Severity.String(), at(f.Head),
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

// find returns the findings that are wanted, in the order of the Site.
func (q query) find(s *Site) []*Finding {
	var found []*Finding
	for i := range s.Findings {
		if q.wants(&s.Findings[i]) {
			found = append(found, &s.Findings[i])
		}
	}
	return found
}

// perPage is how many findings a page has: nobody reads more, and a browser needs a
// millisecond for each before it shows the first.
const perPage = 50

// cut returns the findings of a page.
func cut[T any](all []T, page int) []T {
	from := min((page-1)*perPage, len(all))
	return all[from:min(from+perPage, len(all))]
}
