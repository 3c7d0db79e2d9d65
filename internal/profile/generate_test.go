package profile

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/pprof/profile"
)

// waitingLeaves are the frames in which most goroutines of a server wait, leaf
// first, as Go 1.26 writes them.
var waitingLeaves = [][]string{
	{"runtime.gopark", "runtime.selectgo"},
	{"runtime.gopark", "runtime.chanrecv", "runtime.chanrecv1"},
	{"runtime.gopark", "runtime.chansend", "runtime.chansend1"},
	{"runtime.gopark", "time.Sleep"},
	{"runtime.gopark", "runtime.netpollblock", "internal/poll.runtime_pollWait", "internal/poll.(*pollDesc).wait", "internal/poll.(*pollDesc).waitRead", "internal/poll.(*FD).Read", "net.(*netFD).Read", "net.(*conn).Read"},
	{"runtime.gopark", "runtime.goparkunlock", "runtime.semacquire1", "internal/sync.runtime_SemacquireMutex", "internal/sync.(*Mutex).lockSlow", "internal/sync.(*Mutex).Lock", "sync.(*Mutex).Lock"},
	{"runtime.gopark", "runtime.goparkunlock", "runtime.semacquire1", "sync.runtime_SemacquireWaitGroup", "sync.(*WaitGroup).Wait"},
}

// The function names of a service are made of these words. There are 2,080.
var (
	servicePackages = []string{
		"net/http", "google.golang.org/grpc", "google.golang.org/grpc/internal/transport",
		"github.com/jackc/pgx/v5/pgxpool", "github.com/redis/go-redis/v9/internal/pool",
		"github.com/twmb/franz-go/pkg/kgo", "go.opentelemetry.io/otel/sdk/trace",
		"k8s.io/client-go/tools/cache", "k8s.io/apimachinery/pkg/util/wait",
		"example.com/shop/internal/checkout", "example.com/shop/internal/inventory/reservation",
		"example.com/shop/internal/payment", "example.com/shop/cmd/shopd",
	}
	serviceTypes = []string{
		"(*Server)", "(*Client)", "(*Pool)", "(*conn)", "(*worker)", "(*Consumer)", "(*batcher)", "(*controlBuffer)",
		"(*Reflector)", "(*Store)", "(*queue[...])", "HandlerFunc", "(*sharedInformer)", "(*session)", "(*router)", "(*limiter)",
	}
	serviceMethods = []string{
		"Serve", "handleStream", "roundTrip", "Acquire", "run", "run.func1", "poll", "flush.func2", "Do", "ListAndWatch",
	}
)

// service returns a goroutine profile with the given number of distinct stacks: walks of 6 to
// 30 frames through a call graph in which each function calls a few others, so that stacks
// share their roots as real ones do. The result depends only on stacks.
func service(stacks int) *profile.Profile {
	g := &generator{
		rng:       rand.New(rand.NewPCG(1, uint64(stacks))),
		functions: map[string]*profile.Function{},
		locations: map[string]*profile.Location{},
		p: &profile.Profile{
			SampleType: []*profile.ValueType{{Type: "goroutine", Unit: "count"}},
			PeriodType: &profile.ValueType{Type: "goroutine", Unit: "count"},
			Period:     1,
			TimeNanos:  1_700_000_000_000_000_000,
			Mapping:    []*profile.Mapping{{ID: 1, Start: 0x400000, Limit: 0x2000000, File: "/app/shopd", BuildID: "0f1e2d3c4b5a69788796a5b4c3d2e1f0", HasFunctions: true}},
		},
	}
	seen := map[string]bool{}
	for len(g.p.Sample) < stacks {
		if s := g.stack(); !seen[s.key] {
			seen[s.key] = true
			g.p.Sample = append(g.p.Sample, &profile.Sample{Location: s.locations, Value: []int64{1 + int64(1000/(1+len(g.p.Sample)))}})
		}
	}
	return g.p
}

type generator struct {
	rng       *rand.Rand
	p         *profile.Profile
	functions map[string]*profile.Function
	locations map[string]*profile.Location
}

type generated struct {
	key       string
	locations []*profile.Location
}

func (g *generator) stack() generated {
	leaf := waitingLeaves[g.rng.IntN(len(waitingLeaves))]
	depth := 6 + g.rng.IntN(25)
	var s generated
	for i, name := range leaf {
		s.add(g.location(name, 100+10*i, ""))
	}
	callers := make([]*profile.Location, 0, depth)
	node := g.rng.IntN(12)
	for level := len(leaf); level < depth; level++ {
		callers = append(callers, g.call(node))
		node = (node*31 + 7 + g.rng.IntN(3)) % calls
	}
	for _, caller := range slices.Backward(callers) {
		s.add(caller)
	}
	return s
}

// calls is the number of calls in the code of the service, two in each function.
const calls = 2 * 2080

// call returns the location of a call. One in five has an inlined call.
func (g *generator) call(n int) *profile.Location {
	f := n / 2
	pkg := servicePackages[f%len(servicePackages)]
	f /= len(servicePackages)
	typ := serviceTypes[f%len(serviceTypes)]
	method := serviceMethods[f/len(serviceTypes)]
	inlined := ""
	if n%5 == 0 {
		inlined = pkg + ".(*Context).do"
	}
	return g.location(pkg+"."+typ+"."+method, 20+n%700, inlined)
}

func (s *generated) add(l *profile.Location) {
	s.locations = append(s.locations, l)
	s.key += fmt.Sprint(l.ID, " ")
}

// location returns the location of a line in a function, with the inlined call if there is
// one.
func (g *generator) location(name string, line int, inlined string) *profile.Location {
	key := fmt.Sprint(name, line)
	if l := g.locations[key]; l != nil {
		return l
	}
	l := &profile.Location{ID: uint64(len(g.p.Location) + 1), Mapping: g.p.Mapping[0], Address: 0x401000 + uint64(len(g.p.Location))*0x1f3}
	if inlined != "" {
		l.Line = append(l.Line, profile.Line{Function: g.function(inlined), Line: int64(line + 3)})
	}
	l.Line = append(l.Line, profile.Line{Function: g.function(name), Line: int64(line)})
	g.locations[key] = l
	g.p.Location = append(g.p.Location, l)
	return l
}

func (g *generator) function(name string) *profile.Function {
	if f := g.functions[name]; f != nil {
		return f
	}
	f := &profile.Function{ID: uint64(len(g.p.Function) + 1), Name: name, SystemName: name, Filename: "/go/src/" + name + "/file.go", StartLine: 10}
	g.functions[name] = f
	g.p.Function = append(g.p.Function, f)
	return f
}

func gzipped(t testing.TB, p *profile.Profile) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
