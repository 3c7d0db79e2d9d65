package e2e

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
	"github.com/otel-goroutine/otel-goroutine/internal/tracetest"
)

// The stacks of the modelled program, and their indices.
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

// leakPlace is where the modelled leak is to be found.
var leakPlace = place{"chan_send", "example.com/shop/stock.(*Client).reserve.func1", "shop/stock/client.go", 64}

func runtimes(function, file string, line int) stack.Frame {
	return stack.Frame{Function: function, File: "/usr/local/go/src/" + file, Line: line}
}

// population is a kind of goroutines that a healthy process has.
type population struct {
	stack int
	// size is how many there are, on average.
	size float64
	// life is how long one lives on average, without a memory; 0 is for ever.
	life time.Duration
}

// populations are what each process has from its beginning on: about a hundred
// goroutines, of which the sessions live long enough to get old.
var populations = []population{
	{acceptStack, 1, 0},
	{workStack, 24, 0},
	{sessionStack, 40, 8 * time.Second},
	{requestStack, 30, 300 * time.Millisecond},
}

// leakPerSecond is how many goroutines a process that leaks loses.
const leakPerSecond = 2

// process is a modelled process. It moves on when it is looked at.
type process struct {
	leaks      bool
	random     *rand.Rand
	at         time.Time // of the latest look
	ids        ids
	goroutines []tracetest.Goroutine
	owed       float64 // leaked goroutines that are due, a part of one
	leaked     int
}

func newProcess(seed uint64, leaks bool, now time.Time) *process {
	p := &process{leaks: leaks, random: rand.New(rand.NewPCG(seed, uint64(now.UnixNano()))), at: now}
	for _, kind := range populations {
		p.start(kind.stack, int(kind.size))
	}
	return p
}

// trace moves the process on and returns its execution trace.
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

// turnOver has goroutines end, and as many begin on average. Most of those that live
// for a moment only are not seen, but they have had an ID.
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

// some returns a whole number that is n on average.
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
		p.goroutines = append(p.goroutines, tracetest.Goroutine{ID: p.ids.take(p.random), Stack: stack})
	}
}

// procs is the GOMAXPROCS of each process.
const procs = 2

// ids gives out goroutine IDs as the runtime does: each processor draws 16 at a time.
type ids struct {
	drawn uint64
	have  [procs][]uint64
}

func (s *ids) take(random *rand.Rand) uint64 {
	have := &s.have[random.IntN(procs)]
	if len(*have) == 0 {
		for range 16 {
			s.drawn++
			*have = append(*have, s.drawn)
		}
	}
	id := (*have)[0]
	*have = (*have)[1:]
	return id
}

func (s *ids) skip(random *rand.Rand, n int) {
	for range n {
		s.take(random)
	}
}
