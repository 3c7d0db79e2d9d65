package e2e

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
	"github.com/otel-goroutine/otel-goroutine/internal/tracetest"
)

// Indices of the stacks of the simulated program.
const (
	acceptStack = iota
	workStack
	sessionStack
	requestStack
	leakStack
)

var program = tracetest.NewProgram([]tracetest.Stack{
	acceptStack: {
		runtimes("runtime.gopark", "runtime/proc.go", 460),
		runtimes("runtime.netpollblock", "runtime/netpoll.go", 575),
		runtimes("internal/poll.runtime_pollWait", "runtime/netpoll.go", 351),
		runtimes("net.(*netFD).accept", "net/fd_unix.go", 161),
		{Function: "main.main", File: "/src/shop/main.go", Line: 41},
	},
	workStack: {
		runtimes("runtime.gopark", "runtime/proc.go", 460),
		runtimes("runtime.chanrecv", "runtime/chan.go", 667),
		runtimes("runtime.chanrecv1", "runtime/chan.go", 509),
		{Function: "example.com/shop/jobs.(*Pool).work", File: "/src/shop/jobs/pool.go", Line: 27},
	},
	sessionStack: {
		runtimes("runtime.gopark", "runtime/proc.go", 460),
		runtimes("runtime.selectgo", "runtime/select.go", 351),
		{Function: "example.com/shop/session.(*Session).pump", File: "/src/shop/session/session.go", Line: 88},
		{Function: "example.com/shop/session.Open.func1", File: "/src/shop/session/session.go", Line: 30},
	},
	requestStack: {
		runtimes("runtime.gopark", "runtime/proc.go", 460),
		runtimes("runtime.selectgo", "runtime/select.go", 351),
		{Function: "example.com/shop/api.(*Handler).price", File: "/src/shop/api/price.go", Line: 52},
		runtimes("net/http.(*conn).serve", "net/http/server.go", 2069),
	},
	leakStack: {
		runtimes("runtime.gopark", "runtime/proc.go", 460),
		runtimes("runtime.chansend", "runtime/chan.go", 283),
		runtimes("runtime.chansend1", "runtime/chan.go", 161),
		{Function: "example.com/shop/stock.(*Client).reserve.func1", File: "/src/shop/stock/client.go", Line: 64},
	},
}...)

// leakPlace is where the simulated leak is.
var leakPlace = place{"chan_send", "example.com/shop/stock.(*Client).reserve.func1", "shop/stock/client.go", 64}

func runtimes(function, file string, line int) stack.Frame {
	return stack.Frame{Function: function, File: "/usr/local/go/src/" + file, Line: line}
}

// population is a kind of goroutine in a healthy process.
type population struct {
	stack int
	// size is the mean number of goroutines.
	size float64
	// life is the mean of the exponentially distributed lifetimes; 0 means that they never exit.
	life time.Duration
}

// populations are the goroutines that each process has from its start, about a hundred. Sessions live
// long enough to become aged.
var populations = []population{
	{acceptStack, 1, 0},
	{workStack, 24, 0},
	{sessionStack, 40, 8 * time.Second},
	{requestStack, 30, 300 * time.Millisecond},
}

// leakPerSecond is the number of goroutines that a leaking process leaks.
const leakPerSecond = 2

// process is a simulated process. Each trace advances it to the present.
type process struct {
	leaks      bool
	random     *rand.Rand
	at         time.Time // of the latest trace
	ids        ids
	goroutines []tracetest.Goroutine
	owed       float64 // fraction of the next leaked goroutine
	leaked     int
}

func newProcess(seed uint64, leaks bool, now time.Time) *process {
	p := &process{leaks: leaks, random: rand.New(rand.NewPCG(seed, uint64(now.UnixNano()))), at: now}
	for _, kind := range populations {
		p.start(kind.stack, int(kind.size))
	}
	return p
}

// trace advances the process to now and returns its execution trace.
func (p *process) trace(now time.Time) []byte {
	elapsed := now.Sub(p.at)
	p.at = now
	for _, kind := range populations {
		if kind.life > 0 {
			p.turnOver(kind, elapsed)
		}
	}
	if p.leaks {
		p.leak(elapsed)
	}
	return program.AppendTrace(nil, procs, p.goroutines)
}

// turnOver ends goroutines and starts as many on average. Goroutines that start and end between two traces
// are not seen, but use up IDs.
func (p *process) turnOver(kind population, elapsed time.Duration) {
	lives := float64(elapsed) / float64(kind.life)
	stays := math.Exp(-lives)
	p.goroutines = slices.DeleteFunc(p.goroutines, func(g tracetest.Goroutine) bool {
		return g.Stack == kind.stack && p.random.Float64() >= stays
	})
	born, seen := p.some(kind.size*lives), p.some(kind.size*(1-stays))
	p.ids.skip(p.random, max(born-seen, 0))
	p.start(kind.stack, seen)
}

// some returns a random integer with mean n.
func (p *process) some(n float64) int { return int(n + p.random.Float64()) }

func (p *process) leak(elapsed time.Duration) {
	p.owed += leakPerSecond * elapsed.Seconds()
	n := int(p.owed)
	p.owed -= float64(n)
	p.leaked += n
	p.start(leakStack, n)
}

func (p *process) start(stack, n int) {
	for range n {
		p.goroutines = append(p.goroutines, tracetest.Goroutine{ID: p.ids.next(p.random), Stack: stack})
	}
}

// procs is the GOMAXPROCS of each process.
const procs = 2

// ids allocates goroutine IDs as the runtime does: each P reserves 16 at a time.
type ids struct {
	reserved uint64 // highest ID
	free     [procs][]uint64
}

func (s *ids) next(random *rand.Rand) uint64 {
	free := &s.free[random.IntN(procs)]
	if len(*free) == 0 {
		for range 16 {
			s.reserved++
			*free = append(*free, s.reserved)
		}
	}
	id := (*free)[0]
	*free = (*free)[1:]
	return id
}

func (s *ids) skip(random *rand.Rand, n int) {
	for range n {
		s.next(random)
	}
}
