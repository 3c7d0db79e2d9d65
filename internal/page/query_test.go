package page

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

func TestParseQuery(t *testing.T) {
	for text, want := range map[string]query{
		"":                                       {Page: 1},
		"q=shop&severity=probable&status=closed": {Text: "shop", Severity: finding.Probable, Status: "closed", Page: 1},
		"q=a%00b&severity=none&status=x&page=-1": {Text: "a b", Page: 1},
		"page=3":                                 {Page: 3},
		"page=1e9&page=7":                        {Page: 1},
	} {
		values, err := url.ParseQuery(text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, parseQuery(values)); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

// FuzzQuery checks that a parsed query is the same after encode and parseQuery.
func FuzzQuery(f *testing.F) {
	f.Add("q=shop&severity=probable&status=all&page=2")
	f.Add("q=%ff%00&page=99999999999999999999&severity=&status=open;q=1")
	m := NewAggregator(Config{})
	site := m.Site(m.last)
	f.Fuzz(func(t *testing.T, text string) {
		values, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		q := parseQuery(values)
		again, err := url.ParseQuery(trimQuestion(q.encode()))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(q, parseQuery(again)); diff != "" {
			t.Error(diff)
		}
		(&renderer{site: site}).list(q)
	})
}

func trimQuestion(address string) string {
	if address == "" {
		return ""
	}
	return address[1:]
}

func TestFilter(t *testing.T) {
	m, end := shop(t)
	site := m.Site(end)
	for text, want := range map[string]int{
		"": 3, "q=ORDER.go:88": 1, "q=acme+audit": 1, "q=nats": 1, "q=1.8.2": 1, "q=order.ask+shop": 1, "q=confirmed": 1, "q=shop+nothing": 0,
		"severity=suspected": 3, "severity=probable": 2, "severity=confirmed": 1, "status=open": 3, "status=closed": 0, "status=all": 3,
	} {
		values, err := url.ParseQuery(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(parseQuery(values).find(site)); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
}
