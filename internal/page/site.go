// Package page renders findings: as HTML for a browser, as one HTML file to attach to an issue,
// as Markdown and as JSON.
//
// An Aggregator aggregates points and origins into a Site, which has the values to render. A
// Handler serves a Site, WriteFile writes it to a file, and Markdown renders one finding of it.
// Names come from the watched processes and are untrusted: all HTML is made by html/template.
package page

import (
	"cmp"
	"math"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/history"
)

// Site is the content of all pages at one time.
type Site struct {
	At       time.Time
	Detector Detector
	Findings []Finding // worst first
	Services []history.Service
}

// Finding is a finding with the history of its goroutines.
type Finding struct {
	finding.Finding
	Chart    history.Chart
	Origins  []history.Origin
	Versions []finding.Version // of its service, oldest first
}

// Detector is the configuration of the detector. It determines which leaks a Site without findings
// excludes.
type Detector struct {
	// AgedAfter is the age from which a goroutine is aged; 10 min if 0.
	AgedAfter time.Duration
	// MinDuration is the time that growth must last; 30 min if 0.
	MinDuration time.Duration
	// MaxLifetime is the longest lifetime of a healthy goroutine; 12 h if 0.
	MaxLifetime time.Duration
}

func (d Detector) orDefaults() Detector {
	return Detector{
		AgedAfter:   cmp.Or(d.AgedAfter, 10*time.Minute),
		MinDuration: cmp.Or(d.MinDuration, 30*time.Minute),
		MaxLifetime: cmp.Or(d.MaxLifetime, 12*time.Hour),
	}
}

// MinWatch returns the time for which a service must be watched before anything can be flagged.
func (d Detector) MinWatch() time.Duration { return d.AgedAfter + d.MinDuration }

// SlowestLeak returns the rate of the slowest leak, in goroutines per hour, that is probable after
// a service was watched for the given time; +Inf if none is. A leak of rate r has gathered
// E = r·t²/2 goroutine-hours after t hours. Without an exit in E, the probability that its
// goroutines are healthy is 1 in 1,000 if E is 6.9 times MaxLifetime. At least ten goroutines must
// have leaked.
func (d Detector) SlowestLeak(watched time.Duration) float64 {
	t := (watched - d.AgedAfter).Hours()
	if watched < d.MinWatch() {
		return math.Inf(1)
	}
	return max(2*math.Log(1000)*d.MaxLifetime.Hours()/(t*t), 10/t)
}

// Find returns the finding with an ID, nil if there is none.
func (s *Site) Find(id string) *Finding {
	for i := range s.Findings {
		if s.Findings[i].ID == id {
			return &s.Findings[i]
		}
	}
	return nil
}

// open returns the number of open findings.
func (s *Site) open() int {
	n := 0
	for i := range s.Findings {
		if s.Findings[i].Status == finding.Open {
			n++
		}
	}
	return n
}

// leaksOf returns the number of open findings of a service.
func (s *Site) leaksOf(service finding.Service) int {
	n := 0
	for i := range s.Findings {
		if f := &s.Findings[i]; f.Service == service && f.Status == finding.Open {
			n++
		}
	}
	return n
}
