package exectrace

import (
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

func takeJobs(jobs chan int) {
	for range jobs {
	}
}

func takeTicks(ticks <-chan time.Time, stop chan struct{}) {
	for {
		select {
		case <-ticks:
		case <-stop:
			return
		}
	}
}

func readBytes(c net.Conn) {
	_, _ = io.Copy(io.Discard, c) // until it is closed
}

// TestServed has goroutines wait for another goroutine, for the network, and for a timer. One that gets
// work is served; one that gets none, or a tick, is not.
func TestServed(t *testing.T) {
	const idle = 2 // besides one that is at work
	var jobs []chan int
	for range 1 + idle {
		jobs = append(jobs, make(chan int))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var clients, served []net.Conn
	for range 1 + idle {
		client, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		server, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		clients, served = append(clients, client), append(served, server)
	}
	ticker, stop := time.NewTicker(time.Millisecond), make(chan struct{})
	for i := range jobs {
		go takeJobs(jobs[i])
		go readBytes(served[i])
	}
	go takeTicks(ticker.C, stop)
	defer func() {
		ticker.Stop()
		close(stop)
		for i := range jobs {
			close(jobs[i])
			if err := errors.Join(clients[i].Close(), served[i].Close()); err != nil {
				t.Error(err)
			}
		}
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
	}()

	of := func(entry string) func(stack.Group) bool {
		return func(g stack.Group) bool { return g.State != stack.StateRunning && strings.HasSuffix(g.Entry, entry) }
	}
	waits := func() {
		t.Helper()
		for entry, n := range map[string]int{"exectrace.takeJobs": 1 + idle, "exectrace.readBytes": 1 + idle, "exectrace.takeTicks": 1} {
			if !waitUntilParked(t, n, of(entry)) {
				t.Fatalf("%s does not wait", entry)
			}
		}
	}
	waits()
	data := recordWhile(t, func() {
		for range 5 {
			jobs[0] <- 1
			if _, err := clients[0].Write([]byte("1")); err != nil {
				t.Fatal(err)
			}
			<-time.After(3 * time.Millisecond) // for ticks
			waits()
		}
	})
	asked := waitingGroups(t, data)
	f, err := followAll(data, asked)
	if err != nil {
		t.Fatal(err)
	}
	groups := f.Origins(nil).Groups
	for entry, want := range map[string]Waiting{
		"exectrace.takeJobs": {Older: 1 + idle, Served: 1}, "exectrace.readBytes": {Older: 1 + idle, Served: 1}, "exectrace.takeTicks": {Older: 1},
	} {
		at := slices.IndexFunc(asked, func(s stack.Signature) bool { return strings.HasSuffix(s.Entry, entry) })
		if at < 0 {
			t.Fatalf("%s is in no group", entry)
		}
		if got := groups[at]; got.Older != want.Older || got.Served != want.Served || got.Again == 0 {
			t.Errorf("%s: %d older, %d served, %d times again; want %d and %d", entry, got.Older, got.Served, got.Again, want.Older, want.Served)
		}
	}
}
