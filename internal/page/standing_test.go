package page

import (
	"strings"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/history"
	"github.com/otel-goroutine/otel-goroutine/internal/page/pagetest"
)

func TestStanding(t *testing.T) {
	now := pagetest.Start.Add(48 * time.Hour)
	up, down := history.Instance{Scraped: true, Up: true}, history.Instance{Scraped: true, Reason: "timeout"}
	pushes := history.Instance{}
	watchedFor := func(d time.Duration, instances ...history.Instance) history.Service {
		return history.Service{Service: finding.Service{Name: "shop"}, First: now.Add(-d), Last: now, Judged: now, Aged: true, Instances: instances}
	}
	with := func(s history.Service, change func(*history.Service)) history.Service {
		change(&s)
		return s
	}
	unjudged := func(s *history.Service) { s.Judged = time.Time{} }
	day := 24 * time.Hour
	for name, tc := range map[string]struct {
		service history.Service
		open    finding.Severity
		text    string
		note    string
		healthy bool
	}{
		"healthy":             {watchedFor(day, up, pushes), finding.None, "watched, healthy", "would have shown", true},
		"leaks":               {watchedFor(day, up), finding.Probable, "1 leak, probable", "", false},
		"leaks, partly down":  {watchedFor(day, up, down), finding.Suspected, "1 leak, suspected", "", false},
		"partly down":         {watchedFor(day, up, down), finding.None, "partly watched", "the targets that are up", false},
		"down":                {watchedFor(day, down, down), finding.None, "not watched", "No target", false},
		"new":                 {watchedFor(30*time.Minute, up), finding.None, "needs 10 min more", "aged after 10 min", false},
		"new, no verdict yet": {with(watchedFor(time.Minute, up), unjudged), finding.None, "needs 39 min more", "", false},
		"services: false":     {with(watchedFor(day, up), unjudged), finding.None, "not judged", "services: true", false},
		"services: false, once flagged": {
			with(watchedFor(day, up), func(s *history.Service) { s.Judged = now.Add(-time.Hour) }), finding.None, "not judged any more", "services: true", false,
		},
		"services: false, and it leaks": {with(watchedFor(day, up), unjudged), finding.Probable, "1 leak, probable", "", false},
		"silent":                        {with(watchedFor(day, up), func(s *history.Service) { s.Last, s.Judged = now.Add(-time.Hour), now.Add(-time.Hour) }), finding.None, "silent", "1 h", false},
		"counts alone":                  {with(watchedFor(day, up), func(s *history.Service) { s.Aged = false }), finding.None, "watched, nothing grows", "Ages are unknown", true},
	} {
		t.Run(name, func(t *testing.T) {
			site := &Site{At: now, Detector: Detector{AgedAfter: 10 * time.Minute, MinDuration: 30 * time.Minute, MaxLifetime: 12 * time.Hour}, Services: []history.Service{tc.service}}
			if tc.open > finding.None {
				site.Findings = []Finding{{Finding: finding.Finding{Service: tc.service.Service, Status: finding.Open, Severity: tc.open}}}
			}
			r := &renderer{site: site, options: Options{}.orDefaults()}
			got := r.standing(&site.Services[0])
			if got.Text != tc.text || !strings.Contains(got.Note, tc.note) || got.healthy != tc.healthy {
				t.Errorf("got %q, %q, healthy: %t", got.Text, got.Note, got.healthy)
			}
		})
	}
}

// TestNoDetectorWithShortThresholds checks that a service is not called healthy without a verdict, even
// if it was watched for as long as the thresholds require.
func TestNoDetectorWithShortThresholds(t *testing.T) {
	now := pagetest.Start.Add(time.Hour)
	s := history.Service{Service: finding.Service{Name: "shop"}, First: now.Add(-62 * time.Second), Last: now, Aged: true}
	site := &Site{At: now, Detector: Detector{AgedAfter: 10 * time.Second, MinDuration: 12 * time.Second, MaxLifetime: time.Minute}, Services: []history.Service{s}}
	r := &renderer{site: site, options: Options{}.orDefaults()}
	if got := r.standing(&site.Services[0]); got.Text != "not judged" || got.healthy {
		t.Errorf("%q, healthy: %t", got.Text, got.healthy)
	}
	site.Services[0].Judged = now
	if got := r.standing(&site.Services[0]); got.Text != "watched, healthy" || !got.healthy {
		t.Errorf("judged: %q, healthy: %t", got.Text, got.healthy)
	}
}
