package main

import (
	"math/rand/v2"
	"strings"
)

// garbage is the slack of every process, at GOGC=100.
const garbage = 1

// always is one life that began a day before the watching, fresh one that begins with the watching.
func always() []life { return []life{{-day, forever}} }
func fresh() []life  { return []life{{0, forever}} }

// service returns a process with the given groups first, and then healthy groups that every service has: a listener, a
// pool of workers, and requests with a mild daily variation.
func service(r *rand.Rand, lives []life, groups ...group) process {
	requests := daily(10+20*r.Float64(), 0.3)
	return process{
		lives:  lives,
		memory: memory{slack: garbage},
		groups: append(groups,
			named("net/http.(*Server).Serve", "io_wait", resident(1)),
			named("shop/work.(*Pool).run", "chan_receive", resident(8+r.IntN(33))),
			named("shop/api.(*Handler).ServeHTTP", "select", calls(requests, memoryless(0.3).atMost(1)))),
	}
}

// resident is a source of n goroutines that start with the process and stay.
func resident(n int) source { return source{arrivals: fromStart(n), lifetime: never} }

// named is a group that waits in a function and has an entry of its own.
func named(function, state string, sources ...source) group {
	return group{function: function, entry: entryOf(function), state: state, sources: sources}
}

func entryOf(function string) string { return strings.TrimSuffix(function, ".func1") + ".start" }

// healthyTrial is a trial of one process in which nothing leaks.
func healthyTrial(p process) trial { return trial{processes: []process{p}} }

// leaky is a trial of one process whose first group leaks from onset on.
func leaky(p process, onset float64) trial {
	return trial{processes: []process{p}, leaks: []leak{leakOf(p, 0, onset, 0)}}
}

// leakOf is the leak in a group of a process.
func leakOf(p process, index int, onset float64, group int) leak {
	g := p.groups[group]
	return leak{process: index, groups: []int{group}, subjects: []string{g.function, g.entry}, onset: onset}
}

// leaking is a source of goroutines that arrive at a load and never exit.
func leaking(of load) source {
	return source{arrivals: poisson(of), lifetime: never, leaks: true, mean: of}
}

// calls is a source of goroutines that arrive at a load and exit after a lifetime.
func calls(of load, l lifetime) source { return source{arrivals: poisson(of), lifetime: l} }

// within returns a random number between low and high.
func within(r *rand.Rand, low, high float64) float64 { return low + (high-low)*r.Float64() }

// about returns a random number between two thirds and three halves of n.
func about(r *rand.Rand, n float64) float64 { return n * within(r, 2.0/3, 1.5) }
