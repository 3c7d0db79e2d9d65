package exectrace

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/profile"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// agreed is the least share of the waiting goroutines of a profile that must have the same
// signature in a trace of the same process.
const agreed = 0.99

// maxProfile is more than any profile here has.
const maxProfile = 16 << 20

func TestProfileAndTraceAgreeOnRecordedProcesses(t *testing.T) {
	for name, data := range fixtures(t) {
		if strings.HasSuffix(name, "-generations") {
			continue
		}
		t.Run(name, func(t *testing.T) { compare(t, readFile(t, "testdata/"+name+".profile"), data) })
	}
	for name, data := range namedFixtures(t) {
		t.Run("named/"+name, func(t *testing.T) { compare(t, readFile(t, namedFolder+"/"+name+".profile"), data) })
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestProfileAndTraceAgreeOnThisProcess(t *testing.T) {
	end := startParked(1000)
	defer end()
	defer waiters(t, 20)()
	defer connections(t, 50)()

	// A goroutine that moves from one wait to another between profile and trace is rightly in
	// two groups. So both must be of a time at which none does: a second profile after the
	// trace equals the first.
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		before := goroutineProfile(t)
		traced := recordTrace(t)
		if after := goroutineProfile(t); maps.Equal(groupsOf(t, before), groupsOf(t, after)) {
			compare(t, before, traced)
			return
		}
	}
	t.Fatal("the process does not come to rest")
}

func goroutineProfile(t *testing.T) []byte {
	t.Helper()
	var p bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&p, 0); err != nil {
		t.Fatal(err)
	}
	return p.Bytes()
}

// groupsOf returns the number of goroutines of each group of a profile.
func groupsOf(t *testing.T, profileData []byte) map[stack.ID]int {
	t.Helper()
	p, err := profile.Decode(profileData, maxProfile)
	if err != nil {
		t.Fatal(err)
	}
	groups := make(map[stack.ID]int)
	for _, g := range p.Groups {
		groups[g.ID] = g.Count
	}
	return groups
}

// compare compares the groups of a profile and a trace of one process.
func compare(t *testing.T, profileData, traceData []byte) {
	t.Helper()
	p, err := profile.Decode(profileData, maxProfile)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Decode(traceData)
	if err != nil {
		t.Fatal(err)
	}
	inTrace := make(map[stack.ID]int)
	for _, g := range s.Groups {
		inTrace[g.ID] = g.Count
	}
	waiting, same := 0, 0
	for _, g := range p.Groups {
		if g.State == stack.StateRunning {
			continue
		}
		waiting += g.Count
		same += min(g.Count, inTrace[g.ID])
		if g.Count != inTrace[g.ID] {
			t.Logf("%d in the profile, %d in the trace: %s at %s:%d, entry %s",
				g.Count, inTrace[g.ID], g.State, g.Blamed.Function, g.Blamed.Line, g.Entry)
		}
	}
	t.Logf("%d of %d waiting goroutines have the same signature, in %d groups", same, waiting, len(p.Groups))
	if waiting == 0 || float64(same) < agreed*float64(waiting) {
		t.Errorf("%d of %d", same, waiting)
	}
}

// waiters starts n goroutines in each waiting state from which they can be woken.
func waiters(t *testing.T, n int) (end func()) {
	t.Helper()
	var (
		mutex    sync.Mutex
		readers  sync.RWMutex
		group    sync.WaitGroup
		cond     = sync.NewCond(new(sync.Mutex))
		awake    bool
		send     = make(chan int)
		done     = make(chan struct{})
		never    chan int
		ended    sync.WaitGroup
		starting sync.WaitGroup
	)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	start := func(wait func()) {
		for range n {
			starting.Add(1)
			ended.Add(1)
			go func() {
				defer ended.Done()
				starting.Done()
				wait()
			}()
		}
	}
	mutex.Lock()
	readers.Lock()
	group.Add(1)
	start(func() {
		mutex.Lock()
		defer mutex.Unlock()
	})
	start(func() {
		readers.RLock()
		defer readers.RUnlock()
	})
	start(func() { group.Wait() })
	start(func() { send <- 1 })
	start(func() {
		for range done {
		}
	})
	start(func() {
		select {
		case <-done:
		case <-never:
		}
	})
	start(func() {
		cond.L.Lock()
		for !awake {
			cond.Wait()
		}
		cond.L.Unlock()
	})
	start(func() { _, _ = r.Read(make([]byte, 1)) })
	starting.Wait()
	return func() {
		mutex.Unlock()
		readers.Unlock()
		group.Done()
		close(done)
		for range n {
			<-send
		}
		cond.L.Lock()
		awake = true
		cond.L.Unlock()
		cond.Broadcast()
		_ = w.Close()
		ended.Wait()
		_ = r.Close()
	}
}

// connections starts a server and n idle connections to it. All their goroutines run code of
// the standard library.
func connections(t *testing.T, n int) (end func()) {
	t.Helper()
	arrived := make(chan struct{})
	answer := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-answer
	}))
	client := server.Client()
	client.Transport.(*http.Transport).MaxIdleConnsPerHost = n
	client.Timeout = time.Minute
	var ended sync.WaitGroup
	for range n {
		ended.Add(1)
		go func() {
			defer ended.Done()
			response, err := client.Get(server.URL)
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}()
	}
	for range n {
		<-arrived
	}
	close(answer)
	ended.Wait()
	return func() {
		client.CloseIdleConnections()
		server.Close()
	}
}
