package page

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/history"
	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// hostile is a name that acts as markup, script, attribute or URL wherever it is not escaped.
const hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{.}}`[x](javascript:alert(1))\n# h\u2028\x00</style></textarea>"

// hostileFinding returns a finding with name in every field.
func hostileFinding(id, name string) Finding {
	place := finding.Place{State: name, Function: name, File: "/x/" + name, Line: 7, Entry: name, EntryFile: name}
	origins := []finding.Origin{{Function: name, File: name, Line: 1, Share: 0.5}, {Function: name, File: name, Line: 2, Share: 0.3}, {Function: name, Share: 0.2}}
	f := Finding{Finding: finding.Finding{
		ID: id, Service: finding.Service{Namespace: name, Name: name, Environment: name, Cluster: name, K8sNamespace: name},
		Status: finding.Open, Severity: finding.Probable, Evidence: "3 goroutines at " + name, Head: place, Class: mistake.Class(name), Page: "docs/leaks/chan_send.md",
		Creators: origins, Wakers: origins, Count: 1e300, PerHour: 1e300, Instances: 3, Of: 3,
		Worst: []finding.Instance{{Name: name, Version: name, Count: 1}}, Detected: time.Unix(1e9, 0), FirstVersion: name, LastVersion: name, Introduced: true,
		Limit: finding.Limit{Kind: finding.LimitMemory, Value: 1, In: time.Hour, Instance: name}, Acquittal: name,
	}}
	for range 50 {
		f.Places = append(f.Places, place)
	}
	f.Origins = []history.Origin{{Place: place, Caught: name, Text: name, Stacks: strings.Repeat("created by "+name+":\n"+strings.ReplaceAll(name, "\n", "")+"(...)\n\t/"+strings.ReplaceAll(name, "\n", "")+":3\n\n", 20)}}
	f.Versions = []finding.Version{{Name: name, Revision: name, First: time.Unix(1e9, 0)}}
	return f
}

func hostileSite(name string) *Site {
	f := hostileFinding("an/id?"+name, name)
	return &Site{
		At: time.Unix(1e9+3600, 0), Findings: []Finding{f},
		Services: []history.Service{{
			Service: f.Service, Goroutines: 9, Lines: []history.Line{{Place: f.Head, Count: 9}},
			Instances: []history.Instance{{Name: name, Version: name, Address: name, Scraped: true, Reason: name, Source: name}},
		}},
	}
}

var (
	tag       = regexp.MustCompile(`<(/?)([a-zA-Z0-9]+)`)
	value     = regexp.MustCompile(`"[^"]*"`)
	attribute = regexp.MustCompile(`(?i)<[^>]*\s(on[a-z]+|style|srcdoc|formaction)\s*=`)
	href      = regexp.MustCompile(`(?:href|src|action)="([^"]*)"`)
)

// checkMarkup checks that elements, attributes and links come from the templates.
func checkMarkup(t *testing.T, what, text string) {
	t.Helper()
	elements := strings.Fields("html head meta title link script style body a header nav p span time main footer kbd h1 h2 h3 svg path strong li b br ol ul form label input select option button div article dl dt dd section i pre code small table thead tbody tr th td details summary text g rect doctype")
	for _, m := range tag.FindAllStringSubmatch(text, -1) {
		found := false
		for _, name := range elements {
			found = found || name == m[2]
		}
		if !found {
			t.Errorf("%s: element %s", what, m[0])
		}
	}
	if n := strings.Count(text, "<script"); n > 1 {
		t.Errorf("%s: %d scripts", what, n)
	}
	if m := attribute.FindString(value.ReplaceAllString(text, "")); m != "" {
		t.Errorf("%s: %.200s", what, m)
	}
	for _, m := range href.FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(m[1], "https://") && !strings.HasPrefix(m[1], "/") && !strings.HasPrefix(m[1], "#") {
			t.Errorf("%s: a link to %.200q", what, m[1])
		}
		if strings.HasPrefix(m[1], "//") {
			t.Errorf("%s: a link to another host, %q", what, m[1])
		}
	}
}

func TestNamesAreNeverMarkup(t *testing.T) {
	for _, name := range []string{hostile, strings.Repeat(hostile, 9)[:512], strings.Repeat("\u00ff", 256)} {
		site := hostileSite(name)
		h := NewHandler(fixedSite{site}, Options{Title: name, Source: Source{Template: "https://x.example/{file}#{line}{revision}"}}, nil)
		pages := []string{"/", "/?q=" + strings.Repeat("%3Cb%3E", 99), "/services", "/services/" + serviceID(site.Services[0].Service)}
		pages = append(pages, links{}.finding(site.Findings[0].ID))
		for _, path := range pages {
			w := get(t, h, path)
			if w.Code != http.StatusOK {
				t.Errorf("%s: %d", path, w.Code)
			}
			if n := w.Body.Len(); n > 512<<10 {
				t.Errorf("%.40s: %d bytes", path, n)
			}
			checkMarkup(t, truncate(path, 40), w.Body.String())
		}
		var b bytes.Buffer
		if err := WriteFile(&b, site, Options{Title: name}, name); err != nil {
			t.Fatal(err)
		}
		checkMarkup(t, "file", b.String())
		if b.Len() > 1<<20 {
			t.Errorf("a file of %d bytes", b.Len())
		}
	}
}

// TestLongNames observes metrics with names of a mebibyte.
func TestLongNames(t *testing.T) {
	name := strings.Repeat(hostile, 1<<20/len(hostile))
	m, at := NewAggregator(Config{}), time.Unix(1e9, 0)
	attributes := func(key string) string {
		if key == telemetry.AttrLine || key == telemetry.AttrAgeMin {
			return "600"
		}
		return name
	}
	for n := range 9 {
		now := at.Add(time.Duration(n) * time.Minute)
		m.ObserveBatch(now, func(observe func(finding.Point)) {
			for _, metric := range []string{telemetry.StackCount, telemetry.StackAgedCount, telemetry.LeakSeverity, telemetry.LeakCount, telemetry.ScrapeUp, telemetry.ScrapeFailures, telemetry.ProcessBuild, telemetry.OriginCreations, telemetry.OriginWakeups} {
				observe(finding.Point{Metric: metric, Resource: attributes, Attributes: attributes, At: now, Value: float64(n)})
			}
		})
		m.ObserveOrigin(finding.Point{Resource: attributes}.Service(), history.Origin{Place: finding.Point{Attributes: attributes}.Place(), Caught: name, Text: name, Stacks: name, At: now}, now)
	}
	site := m.Site(at.Add(time.Hour))
	h := NewHandler(fixedSite{site}, Options{}, nil)
	if len(site.Findings) != 1 || len(site.Services) != 1 {
		t.Fatalf("%d findings, %d services", len(site.Findings), len(site.Services))
	}
	for _, path := range []string{"/", "/services", links{}.service(site.Services[0].Service), links{}.finding(site.Findings[0].ID), "/api/services"} {
		w := get(t, h, path)
		if w.Code != http.StatusOK || w.Body.Len() > 64<<10 {
			t.Errorf("%.40s: %d, %d bytes", path, w.Code, w.Body.Len())
		}
		if !strings.HasPrefix(path, "/api") {
			checkMarkup(t, truncate(path, 40), w.Body.String())
		}
	}
	if data, err := m.MarshalBinary(); err != nil || len(data) > 128<<10 {
		t.Errorf("a state of %d bytes, %v", len(data), err)
	}
}

// TestDocumentSize checks that a document has at most 2,000 tokens, even if every name is long and
// every byte of it is escaped.
func TestDocumentSize(t *testing.T) {
	long := strings.Repeat("\u00e9\"<", 170)
	for name, f := range map[string]Finding{"hostile": hostileFinding(long, long), "quotes": hostileFinding("x", strings.Repeat("\"", 512))} {
		r := &renderer{site: &Site{At: time.Unix(1e9, 0)}, options: Options{}.orDefaults()}
		data, err := r.document(&f, long)
		if err != nil {
			t.Fatal(err)
		}
		if len(data) > 2*maxDocumentSize || !json.Valid(data) {
			t.Errorf("%s: %d bytes", name, len(data))
		}
	}
	m, end := shop(t)
	h := NewHandler(fixedSite{m.Site(end)}, Options{}, nil)
	for _, f := range m.Site(end).Findings {
		if n := get(t, h, "/api/findings/"+f.ID).Body.Len(); n > maxDocumentSize {
			t.Errorf("%s: %d bytes", f.ID, n)
		}
	}
}

// TestManyFindings renders lists of a hundred thousand findings.
func TestManyFindings(t *testing.T) {
	site := &Site{At: time.Unix(1e9+3600, 0)}
	f := hostileFinding("", "name")
	f.Origins, f.Places = nil, f.Places[:1]
	for i := range 100_000 {
		f.ID = strconv.Itoa(i)
		site.Findings = append(site.Findings, f)
	}
	h := NewHandler(fixedSite{site}, Options{}, nil)
	for path, rows := range map[string]int{"/": perPage, "/?page=2000": perPage, "/?page=2001": 0, "/?q=nothing": 0, "/?page=999999": 0} {
		start := time.Now()
		w := get(t, h, path)
		if got := strings.Count(w.Body.String(), `<li class="row`); got != rows {
			t.Errorf("%s: %d rows", path, got)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s took %v", path, took)
		}
	}
	if n := get(t, h, "/api/findings").Body.Len(); n > 100<<10 {
		t.Errorf("%d bytes of JSON", n)
	}
	var b bytes.Buffer
	if err := WriteFile(&b, site, Options{}, ""); err != nil || b.Len() > 2<<20 {
		t.Errorf("a file of %d bytes, %v", b.Len(), err)
	}
}
