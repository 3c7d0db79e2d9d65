// Package page shows findings: as HTML for a browser, as one HTML file to attach to an issue,
// as Markdown and as JSON.
//
// A Memory takes points and origins and makes a Site of them, the values that are shown. A
// Handler serves a Site; WriteFile and WriteMarkdown write it. Names come from the watched
// processes and are never markup: everything goes through html/template.
package page

import (
	"cmp"
	"math"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/history"
)

// Site is what is shown, at a time.
type Site struct {
	At       time.Time
	Detector Detector
	Findings []Finding // the worst first
	Services []history.Service
}

// Finding is a leak and what is shown beside it.
type Finding struct {
	finding.Finding
	Chart    history.Chart
	Origins  []history.Origin
	Versions []finding.Version // of its service, the oldest first
}

// Detector is how the detector judges, which says how much a Site without findings means.
type Detector struct {
	// AgedAfter is from which age on a goroutine is aged, 10 min if 0.
	AgedAfter time.Duration
	// MinDuration is for how long growth must last, 30 min if 0.
	MinDuration time.Duration
	// MaxLifetime is the longest that a healthy goroutine lives, 12 h if 0.
	MaxLifetime time.Duration
}

func (d Detector) orDefaults() Detector {
	return Detector{
		AgedAfter:   cmp.Or(d.AgedAfter, 10*time.Minute),
		MinDuration: cmp.Or(d.MinDuration, 30*time.Minute),
		MaxLifetime: cmp.Or(d.MaxLifetime, 12*time.Hour),
	}
}

// Enough returns for how long a service must be watched before anything can be flagged.
func (d Detector) Enough() time.Duration { return d.AgedAfter + d.MinDuration }

// Visible returns the slowest leak, in goroutines an hour, that is probable after a service
// was watched for a time. A leak of r has gathered E = r·t²/2 goroutine-hours after t hours,
// and none of them left by a chance of 1 in 1,000 when E is 6.9 times the longest lifetime;
// ten of them at least are flagged.
func (d Detector) Visible(watched time.Duration) float64 {
	t := (watched - d.AgedAfter).Hours()
	if watched < d.Enough() {
		return math.Inf(1)
	}
	return max(2*math.Log(1000)*d.MaxLifetime.Hours()/(t*t), 10/t)
}

// Find returns the finding of an ID, nil if there is none.
func (s *Site) Find(id string) *Finding {
	for i := range s.Findings {
		if s.Findings[i].ID == id {
			return &s.Findings[i]
		}
	}
	return nil
}

// open counts the findings that leak.
func (s *Site) open() int {
	n := 0
	for i := range s.Findings {
		if s.Findings[i].Status == finding.Open {
			n++
		}
	}
	return n
}

// leaksOf counts the findings of a service that leak.
func (s *Site) leaksOf(of finding.Service) int {
	n := 0
	for i := range s.Findings {
		if f := &s.Findings[i]; f.Service == of && f.Status == finding.Open {
			n++
		}
	}
	return n
}
