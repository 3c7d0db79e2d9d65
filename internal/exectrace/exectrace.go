// Package exectrace reads execution traces, as /debug/pprof/trace serves them and
// runtime/trace writes them: bytes in, a snapshot out, every goroutine with its
// ID.
//
// It counts before it builds (survey), leaves out what does not matter (thin),
// lets golang.org/x/exp/trace put the rest in order (replay), and groups what came
// of it (group). The bytes may be hostile: work and memory are bounded, and no
// panic gets out.
package exectrace

import (
	"cmp"
	"fmt"
	"slices"

	"golang.org/x/exp/trace"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// Decode reads an execution trace of Go 1.23 or later. The snapshot lists each
// goroutine as it stood at the end of the trace, IDs ascending; those that ended
// during it are gone. The runtime's own are left out, and the one that writes the
// trace.
//
// A goroutine that is alive but of which no stack is known has no group, unless it
// is known where it began.
//
// Every error wraps one of ErrNotTrace, ErrVersion, ErrTooLarge and ErrMalformed.
// A trace that was cut is malformed, but for one that was cut exactly between two
// of its generations, of a second each: that is a whole trace of a shorter time.
//
// The snapshot holds no part of data. Decode is safe for concurrent use.
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

// prepare makes of a trace what the trace reader need see, and what it need not.
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

// snapshot puts the idle goroutines and the others together.
func snapshot(t *thinned, o *outcome, g *grouping) (*stack.Snapshot, error) {
	groups, err := o.settle(t.samples, g)
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
		if group := g.of(other); group != leftOut {
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
	if err := arrange(s); err != nil {
		return nil, err
	}
	return s, nil
}

// settle returns the groups of the samples, and takes these out of the outcome:
// they are among the idle.
func (o *outcome) settle(samples []uint64, g *grouping) ([]int32, error) {
	groups := make([]int32, len(samples))
	for i, id := range samples {
		sample, known := o.goroutines[trace.GoID(id)]
		if !known {
			return nil, malformed("a goroutine that waits has ended")
		}
		groups[i] = g.of(sample)
		delete(o.goroutines, trace.GoID(id))
	}
	return groups, nil
}

// arrange sorts the goroutines and counts them.
func arrange(s *stack.Snapshot) error {
	slices.SortFunc(s.Goroutines, func(a, b stack.Goroutine) int { return cmp.Compare(a.ID, b.ID) })
	var last uint64
	for _, g := range s.Goroutines {
		switch {
		case g.ID == last:
			return malformed("a goroutine is listed twice")
		case g.Group == stack.NoGroup:
			s.Stackless++
		default:
			s.Groups[g.Group].Count++
		}
		last = g.ID
	}
	if last == 0 {
		return malformed("no goroutine")
	}
	return nil
}
