// Make writes an execution trace of a process that has goroutines in every state,
// and its goroutine profile of the moment before.
//
//	cd testdata/make
//	for v in 1.23.12 1.25.5 1.26.8; do
//		GOTOOLCHAIN=go$v go run -trimpath . -o ../go${v%.*}.trace -profile ../go${v%.*}.profile
//		GOTOOLCHAIN=go$v go run -trimpath . -o ../go${v%.*}-generations.trace -for 1200ms
//	done
//	cd ../.. && go test -update
package main

import (
	"bytes"
	"flag"
	"iter"
	"log"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"sync"
	"syscall"
	"time"
)

func main() {
	out := flag.String("o", "", "file to write the trace to")
	profile := flag.String("profile", "", "file to write the goroutine profile to, if any")
	long := flag.Duration("for", time.Millisecond, "how long to trace; the runtime begins a new generation each second")
	flag.Parse()

	// Two processors, wherever this runs.
	runtime.GOMAXPROCS(2)
	for range 10 {
		park()
	}
	go deep(200)
	go coroutine()
	ready := make(chan struct{})
	go readied(ready)
	ticks := time.Millisecond / 5
	if *long > time.Second {
		ticks = 300 * time.Millisecond
	}
	go tick(ticks)
	// Long enough for all of them to come to where they stay.
	time.Sleep(200 * time.Millisecond)

	if *profile != "" {
		var p bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&p, 0); err != nil {
			log.Fatal(err)
		}
		write(*profile, p.Bytes())
	}
	var b bytes.Buffer
	if err := trace.Start(&b); err != nil {
		log.Fatal(err)
	}
	go ended()
	go waitReceive(make(chan int))
	time.Sleep(*long)
	go spin()
	close(ready)
	go never()
	trace.Stop()
	write(*out, b.Bytes())
}

func write(path string, data []byte) {
	if err := os.WriteFile(path, data, 0o644); err != nil {
		log.Fatal(err)
	}
}

// park starts a goroutine in each state.
func park() {
	go waitSend(make(chan int))
	go waitReceive(make(chan int))
	go waitRange(make(chan int))
	go waitSelect(make(chan int))
	go waitForEver()
	go waitNil()

	var mutex sync.Mutex
	mutex.Lock()
	go waitMutex(&mutex)
	var held sync.RWMutex
	held.Lock()
	go waitRead(&held)
	go waitWrite(&held)
	var group sync.WaitGroup
	group.Add(1)
	go waitGroup(&group)
	go waitCond(sync.NewCond(new(sync.Mutex)))
	go waitSleep()

	r, w, err := os.Pipe()
	if err != nil {
		log.Fatal(err)
	}
	keep = append(keep, r, w)
	go waitRead2(r)
	go waitRead2(r) // behind the first: only one may read
	go waitSyscall()
	go generic(make(chan string))
	go method{}.wait()
	go (&embedding{}).wait()
	go func() {
		select {}
	}()
}

// keep keeps files from being closed by the garbage collector.
var keep []*os.File

func waitSend(c chan int)    { c <- 1 }
func waitReceive(c chan int) { <-c }
func waitForEver()           { select {} }

func waitRange(c chan int) {
	for range c {
		runtime.Gosched()
	}
}

func waitSelect(c chan int) {
	select {
	case <-c:
	case c <- 1:
	}
}

func waitNil() {
	var c chan int
	<-c
}

func waitMutex(m *sync.Mutex)     { m.Lock() }
func waitRead(m *sync.RWMutex)    { m.RLock() }
func waitWrite(m *sync.RWMutex)   { m.Lock() }
func waitGroup(g *sync.WaitGroup) { g.Wait() }
func waitSleep()                  { time.Sleep(time.Hour) }

func waitCond(c *sync.Cond) {
	c.L.Lock()
	c.Wait()
}

func waitRead2(f *os.File) {
	var b [1]byte
	_, _ = f.Read(b[:])
}

// waitSyscall blocks in a system call, of which the runtime knows no way out.
func waitSyscall() {
	var fds [2]int
	if err := syscall.Pipe(fds[:]); err != nil {
		log.Fatal(err)
	}
	var b [1]byte
	_, _ = syscall.Read(fds[0], b[:])
}

func generic[T any](c chan T) { <-c }

type method struct{}

func (method) wait() { select {} }

type embedding struct{ method }

// deep waits below more frames than a trace shows.
func deep(n int) {
	if n == 0 {
		select {}
	}
	deep(n - 1)
}

// coroutine waits while the other side of an iterator waits for it.
func coroutine() {
	next, _ := iter.Pull(func(yield func(int) bool) {
		yield(1)
	})
	next()
	select {}
}

// tick wakes up and blocks again, so that it does so while traced.
func tick(every time.Duration) {
	for {
		time.Sleep(every)
	}
}

func ended() {}

// readied is made ready just before the trace ends.
func readied(c chan struct{}) {
	<-c
	spin()
}

// never is created just before the trace ends.
func never() { select {} }

// spin runs, without a stack to be shown until it is preempted.
func spin() {
	for {
	}
}
