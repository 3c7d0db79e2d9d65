// Package judge decides what leaks. It passes samples to the collector's detector, and the verdicts
// of the detector to the findings.
package judge

import (
	"fmt"
	"strconv"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/growth"
	"github.com/otel-goroutine/otel-goroutine/internal/page"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// Process identifies a process.
type Process struct {
	// Service is the service that the process is an instance of.
	Service, Instance string
	// Life is the number of restarts. Evidence from before a restart does not count.
	Life int
}

// Sample is a value of a group of goroutines at one time.
type Sample struct {
	Process Process
	Kind    detect.Kind
	Part    detect.Part
	Band    time.Duration // lower bound of the age band, for Aged and Exits
	// Place is the place of a group. For an entry, only Entry and EntryFile are set; for a
	// whole process, nothing.
	Place     finding.Place
	Signature string
	// Rest means that the sample is the sum of all groups above the limit.
	Rest bool
	// At is the time of the sample, and Start that of the process, zero if unknown.
	At, Start time.Time
	Value     float64
}

// Judge judges processes by their samples. It is not safe for concurrent use.
type Judge struct {
	rules    *growth.Rules
	ignore   func(Sample) bool
	detector *detect.Detector
	tracker  *finding.Tracker
	// aggregator is that of the page, nil if there is none, and points its next batch.
	aggregator *page.Aggregator
	points     []finding.Point
	labels     map[detect.ID]label
	// flagged has the latest verdict of each flagged group, by finding and group.
	flagged map[detect.ID]map[detect.ID]detect.Verdict
	// atWork has the groups that DowngradeAtWork found at work.
	atWork map[detect.ID]bool
}

// label is the attributes of a group.
type label struct {
	resource, group finding.Attributes
	process         detect.ID
}

// maxGroups is the most groups of all processes.
const maxGroups = 50_000

// maxStale is how long a process is kept without data.
const maxStale = 24 * time.Hour

// New returns a Judge with the given thresholds. It does not flag groups for which ignore returns
// true. If aggregator is not nil, the Judge adds the data of a page to it.
func New(t Thresholds, ignore func(Sample) bool, aggregator *page.Aggregator) *Judge {
	return &Judge{
		rules:      t.rules(),
		ignore:     ignore,
		detector:   detect.New(detect.Config{MinDuration: t.MinDuration, MaxStale: maxStale, MaxGroups: maxGroups}),
		tracker:    finding.NewTracker(finding.Config{MaxStale: maxStale}),
		aggregator: aggregator,
		labels:     make(map[detect.ID]label),
		flagged:    make(map[detect.ID]map[detect.ID]detect.Verdict),
		atWork:     make(map[detect.ID]bool),
	}
}

// Observe adds the samples of one time and returns the changes of findings.
func (j *Judge) Observe(now time.Time, samples []Sample) []finding.Change {
	readings := make([]detect.Reading, 0, len(samples))
	for i := range samples {
		readings = append(readings, j.reading(&samples[i]))
	}
	j.addSamples(samples)
	j.addVerdicts(j.detector.Observe(now.UnixNano(), readings))
	j.addInstanceCounts(now, samples)
	return j.advance(now)
}

// addPoint adds a point to the findings and to the page.
func (j *Judge) addPoint(p finding.Point) {
	j.tracker.Observe(p)
	if j.aggregator != nil {
		j.points = append(j.points, p)
	}
}

// advance updates findings and page, and returns the changes of findings.
func (j *Judge) advance(now time.Time) []finding.Change {
	if j.aggregator != nil {
		j.aggregator.ObserveBatch(now, func(observe func(finding.Point)) {
			for _, p := range j.points {
				observe(p)
			}
		})
		j.points = j.points[:0]
	}
	return j.tracker.Advance(now)
}

// Findings returns all findings, worst first.
func (j *Judge) Findings() []finding.Finding { return j.tracker.Findings() }

func (j *Judge) reading(s *Sample) detect.Reading {
	process, service := s.Process.id(), hash("service", s.Process.Service)
	r := detect.Reading{
		Process: process,
		Group:   groupID(process, s.Kind, s.Signature, s.Place),
		Rules:   j.rules,
		At:      s.At.UnixNano(),
		Value:   s.Value,
		Band:    s.Band,
		Kind:    s.Kind,
		Part:    s.Part,
		Rest:    s.Rest,
	}
	if !s.Start.IsZero() {
		r.Start = s.Start.UnixNano()
	}
	if s.Rest {
		return r
	}
	r.Ignored = j.ignore(*s)
	if s.Kind == detect.Stack {
		r.HeldByPeer = s.Place.State == telemetry.StateIOWait
		if s.Place.Entry != "" {
			r.Entry = groupID(process, detect.Entry, "", finding.Place{Entry: s.Place.Entry})
		}
	}
	if s.Kind <= detect.Entry {
		r.Service, r.Rank = service, detect.RankOf(s.Place.File, s.Place.Function)
		r.ServiceGroup = detect.FindingID(service, s.Kind, s.Place.State, s.Place.Function, s.Place.Entry)
	}
	j.addLabel(s, &r)
	return r
}

// addLabel keeps the attributes of a group, which the detector does not know.
func (j *Judge) addLabel(s *Sample, r *detect.Reading) {
	if s.Part != detect.Count || len(j.labels) >= 2*maxGroups {
		return
	}
	if _, known := j.labels[r.Group]; known {
		return
	}
	place := s.Place
	j.labels[r.Group] = label{resourceOf(s.Process), attributesOf(place, s.Signature), r.Process}
	if r.ServiceGroup != 0 {
		place.File, place.Line, place.EntryFile = "", 0, ""
		j.labels[r.ServiceGroup] = label{resourceOf(Process{Service: s.Process.Service}), attributesOf(place, ""), r.Service}
	}
}

func (p Process) id() detect.ID {
	return hash("process", p.Service, p.Instance, strconv.Itoa(p.Life))
}

func groupID(process detect.ID, kind detect.Kind, signature string, p finding.Place) detect.ID {
	if kind == detect.Stack && signature != "" {
		return hash(idText(process), "stack", signature)
	}
	return hash(idText(process), strconv.Itoa(int(kind)), p.State, p.Function, strconv.Itoa(p.Line), p.Entry)
}

func hash(parts ...string) detect.ID {
	var h xxhash.Digest
	h.Reset()
	for _, part := range parts {
		_, _ = h.WriteString(part) // never fails
		_, _ = h.WriteString("\x00")
	}
	return detect.ID(h.Sum64())
}

// resourceOf returns the resource attributes of a process, or of a service.
func resourceOf(p Process) finding.Attributes {
	return func(key string) string {
		switch key {
		case "service.name":
			return p.Service
		case "service.instance.id":
			return p.Instance
		}
		return ""
	}
}

// attributesOf returns the attributes of a group.
func attributesOf(p finding.Place, signature string) finding.Attributes {
	return func(key string) string {
		switch key {
		case telemetry.AttrSignature:
			return signature
		case telemetry.AttrState:
			return p.State
		case telemetry.AttrFunction:
			return p.Function
		case telemetry.AttrFile:
			return p.File
		case telemetry.AttrLine:
			if p.Line > 0 {
				return strconv.Itoa(p.Line)
			}
		case telemetry.AttrEntry:
			return p.Entry
		case telemetry.AttrEntryFile:
			return p.EntryFile
		}
		return ""
	}
}

// withAttribute adds an attribute.
func withAttribute(a finding.Attributes, key, value string) finding.Attributes {
	return func(k string) string {
		if k == key {
			return value
		}
		return a(k)
	}
}

func idText(id detect.ID) string { return fmt.Sprintf("%016x", uint64(id)) }
