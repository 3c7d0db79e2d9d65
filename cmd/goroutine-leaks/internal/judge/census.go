package judge

import (
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// PlaceOf returns where the goroutines of a group are.
func PlaceOf(s stack.Signature) finding.Place {
	return finding.Place{
		State: string(s.State), Function: s.Blamed.Function, File: s.Blamed.File, Line: s.Blamed.Line,
		Entry: s.Entry, EntryFile: s.EntryFile,
	}
}

// Samples returns what a census measures, as the receiver would send it. The start is that of
// the process, zero if it is unknown.
func Samples(p Process, r *census.Report, start, at time.Time) []Sample {
	var samples []Sample
	add := func(of Sample, n census.Numbers) {
		of.Process, of.At, of.Start = p, at, start
		of.Part, of.Value = detect.Count, float64(n.Count)
		samples = append(samples, of)
		for i, band := range n.Bands {
			of.Band = r.Bounds[i]
			if band.SendAged {
				of.Part, of.Value = detect.Aged, float64(band.Aged)
				samples = append(samples, of)
			}
			if band.SendExits {
				of.Part, of.Value = detect.Exits, float64(band.Exits)
				samples = append(samples, of)
			}
		}
	}
	for _, g := range r.Groups {
		of := Sample{Kind: detect.Stack, Rest: g.Other}
		if g.Other {
			of.Signature = telemetry.SignatureOther
		} else {
			of.Signature, of.Place = g.Signature.ID.String(), PlaceOf(g.Signature)
		}
		add(of, g.Numbers)
	}
	for _, e := range r.Entries {
		of := Sample{Kind: detect.Entry, Rest: e.Other, Place: finding.Place{Entry: e.Function, EntryFile: e.File}}
		if e.Other {
			of.Place.Entry = telemetry.SignatureOther
		}
		add(of, e.Numbers)
	}
	return samples
}
