// Package exectrace decodes execution traces, as /debug/pprof/trace serves them and
// runtime/trace writes them, into a snapshot that has every goroutine with its ID.
//
// Decode counts elements before allocating anything for them (survey), drops irrelevant
// events (thin), orders the rest with golang.org/x/exp/trace (replay), and groups the
// goroutines (group). The input may be hostile: work and memory are bounded, and panics
// are recovered.
package exectrace

import (
	"cmp"
	"fmt"
	"slices"

	"golang.org/x/exp/trace"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// Decode decodes an execution trace of Go 1.23 or later. The snapshot lists the goroutines
// that are alive at the end of the trace, by ascending ID, except the runtime's own and the
// one that writes the trace. A goroutine whose stack and entry are unknown has no group.
//
// Every error wraps one of ErrNotTrace, ErrVersion, ErrTooLarge and ErrMalformed. A
// truncated trace is malformed, unless it was cut exactly between two of its generations
// (of a second each): that is a valid trace of less time.
//
// The snapshot does not refer to data. Decode is safe for concurrent use.
func Decode(data []byte) (s *stack.Snapshot, err error) {
	defer func() {
		if recover() != nil {
			s, err = nil, fmt.Errorf("%w: %w", ErrMalformed, ErrPanic)
		}
	}()
	v, err := readHeader(data)
	if err != nil {
		return nil, err
	}
	t, err := prepare(data, v)
	if err != nil {
		return nil, err
	}
	o, err := replay(t.trace)
	if err != nil {
		return nil, err
	}
	return snapshot(t, o, newGrouping(o.stacks.frames, v))
}

// prepare validates a trace and reduces it to what the trace reader must see.
func prepare(data []byte, v version) (*thinned, error) {
	g, err := split(data, v)
	if err != nil {
		return nil, err
	}
	s, err := g.survey(len(data))
	if err != nil {
		return nil, err
	}
	return g.thin(data[:headerLength], v, s)
}

// snapshot merges the idle goroutines and the others.
func snapshot(t *thinned, o *outcome, g *grouping) (*stack.Snapshot, error) {
	groups, err := o.sampleGroups(t.samples, g)
	if err != nil {
		return nil, err
	}
	list := t.idle[:0]
	for _, idle := range t.idle {
		if idle.Group = groups[idle.Group]; idle.Group != leftOut {
			list = append(list, idle)
		}
	}
	for id, other := range o.goroutines {
		if group := g.groupOf(other); group != leftOut {
			list = append(list, stack.Goroutine{ID: uint64(id), Group: group})
		}
	}
	s := &stack.Snapshot{
		Source:     stack.SourceTrace,
		Groups:     g.groups,
		Goroutines: list,
		HighestID:  t.highest,
		Procs:      o.procs,
	}
	if err := sortAndCount(s); err != nil {
		return nil, err
	}
	return s, nil
}

// sampleGroups returns the groups of the samples and removes these from the outcome, since
// they are among the idle goroutines.
func (o *outcome) sampleGroups(samples []uint64, g *grouping) ([]int32, error) {
	groups := make([]int32, len(samples))
	for i, id := range samples {
		sample, known := o.goroutines[trace.GoID(id)]
		if !known {
			return nil, malformed("a waiting goroutine has ended")
		}
		groups[i] = g.groupOf(sample)
		delete(o.goroutines, trace.GoID(id))
	}
	return groups, nil
}

// sortAndCount sorts the goroutines by ID and sets the counts of s.
func sortAndCount(s *stack.Snapshot) error {
	slices.SortFunc(s.Goroutines, func(a, b stack.Goroutine) int { return cmp.Compare(a.ID, b.ID) })
	var last uint64
	for _, g := range s.Goroutines {
		switch {
		case g.ID == last:
			return malformed("goroutine listed twice")
		case g.Group == stack.NoGroup:
			s.Stackless++
		default:
			s.Groups[g.Group].Count++
		}
		last = g.ID
	}
	if last == 0 {
		return malformed("no goroutines")
	}
	return nil
}
