package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// A process has 32 groups by signature and 18 by entry, as an ordinary service does: residents never exit, requests are
// short, and sessions last for half an hour on average.
const (
	residents, requests, sessions = 12, 12, 8
	groupsOfProcess               = residents + requests + sessions + residents/2 + requests/3 + sessions
)

// programs is the number of different simulated processes, of which the fleet has copies. One of them leaks, which is
// more than in a real fleet, since flags have a cost.
const programs = 8

// program simulates the goroutines of a process.
type program struct {
	random     *rand.Rand
	signatures []stack.Signature
	alive      []goroutine // by ID
	lastID     uint64
	leaks      bool
}

type goroutine struct {
	id    uint64
	group int32
	until float64 // minute of its exit
}

func newProgram(number int) *program {
	p := &program{random: rand.New(rand.NewPCG(uint64(number), 1)), leaks: number == 0}
	add := func(kind string, i, entry int, state stack.State) {
		p.signatures = append(p.signatures, stack.Signature{
			ID:    stack.ID(p.random.Uint64()),
			State: state,
			Blamed: stack.Frame{
				Function: fmt.Sprintf("example.com/shop/internal/%s%d.(*Server).handle%d", kind, number, i),
				File:     fmt.Sprintf("/src/shop/internal/%s/server.go", kind),
				Line:     10 + i,
			},
			Entry:     fmt.Sprintf("example.com/shop/internal/%s%d.(*Server).run%d", kind, number, entry),
			EntryFile: fmt.Sprintf("/src/shop/internal/%s/run.go", kind),
		})
	}
	for i := range residents {
		add("pool", i, i/2, "chan_receive")
		for range 1 + i%8 {
			p.start(i, 1e9)
		}
	}
	for i := range requests {
		add("request", i, i/3, "io_wait")
	}
	for i := range sessions {
		add("session", i, i, "select")
	}
	return p
}

func (p *program) start(group int, until float64) {
	p.lastID++
	p.alive = append(p.alive, goroutine{p.lastID, int32(group), until})
}

// advance simulates the minutes from one time to another, and returns a snapshot at the end.
func (p *program) advance(from, to float64) *stack.Snapshot {
	arrive := func(group int, perMinute, mean float64) {
		for at := from; ; {
			if at += p.random.ExpFloat64() / perMinute; at > to {
				return
			}
			p.start(group, at+p.random.ExpFloat64()*mean)
		}
	}
	for i := range requests {
		arrive(residents+i, 4, 0.5)
	}
	for i := range sessions {
		if p.leaks && i == 0 {
			arrive(residents+requests+i, 3, 1e9)
		} else {
			arrive(residents+requests+i, 1, 30)
		}
	}
	p.alive = slices.DeleteFunc(p.alive, func(g goroutine) bool { return g.until <= to })
	s := &stack.Snapshot{Source: stack.SourceTrace, HighestID: p.lastID, Procs: 2}
	for _, signature := range p.signatures {
		s.Groups = append(s.Groups, stack.Group{Signature: signature})
	}
	for _, g := range p.alive {
		s.Groups[g.group].Count++
		s.Goroutines = append(s.Goroutines, stack.Goroutine{ID: g.id, Group: g.group})
	}
	return s
}

// reports returns the census of a program at the given minutes.
func reports(number int, minutes []float64) []census.Report {
	p := newProgram(number)
	c := census.New(10*time.Minute, 200)
	all := make([]census.Report, 0, len(minutes))
	before := 0.0
	for _, minute := range minutes {
		all = append(all, c.Observe(p.advance(before, minute), timeAt(minute)))
		before = minute
	}
	return all
}

// epoch is the start of the data, an arbitrary time.
var epoch = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

func timeAt(minute float64) time.Time { return epoch.Add(time.Duration(minute * float64(time.Minute))) }
