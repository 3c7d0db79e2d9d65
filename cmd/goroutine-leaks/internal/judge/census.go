package judge

import (
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// PlaceOf returns the place of a group.
func PlaceOf(s stack.Signature) finding.Place {
	return finding.Place{
		State: string(s.State), Function: s.Blamed.Function, File: s.Blamed.File, Line: s.Blamed.Line,
		Entry: s.Entry, EntryFile: s.EntryFile,
	}
}

// Samples returns the samples of a census report, as the receiver would send them. start is that of
// the process, zero if unknown.
func Samples(p Process, r *census.Report, start, at time.Time) []Sample {
	var samples []Sample
	add := func(s Sample, n census.Numbers) {
		s.Process, s.At, s.Start = p, at, start
		s.Part, s.Value = detect.Count, float64(n.Count)
		samples = append(samples, s)
		for i, band := range n.Bands {
			s.Band = r.Bounds[i]
			if band.SendAged {
				s.Part, s.Value = detect.Aged, float64(band.Aged)
				samples = append(samples, s)
			}
			if band.SendExits {
				s.Part, s.Value = detect.Exits, float64(band.Exits)
				samples = append(samples, s)
			}
		}
	}
	for _, g := range r.Groups {
		s := Sample{Kind: detect.Stack, Rest: g.Other}
		if g.Other {
			s.Signature = telemetry.SignatureOther
		} else {
			s.Signature, s.Place = g.Signature.ID.String(), PlaceOf(g.Signature)
		}
		add(s, g.Numbers)
	}
	for _, e := range r.Entries {
		s := Sample{Kind: detect.Entry, Rest: e.Other, Place: finding.Place{Entry: e.Function, EntryFile: e.File}}
		if e.Other {
			s.Place.Entry = telemetry.SignatureOther
		}
		add(s, e.Numbers)
	}
	return samples
}
