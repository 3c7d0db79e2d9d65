// Command make writes a goroutine profile of itself to the standard output, with
// goroutines in every state. It is the source of the fixtures beside it, one for
// each Go version. Without cgo and with -trimpath no path of the machine gets
// into them but that of the binary:
//
//	export CGO_ENABLED=0
//	GOTOOLCHAIN=go1.23.12 go run -trimpath . > ../go1.23.pb.gz
//	GOTOOLCHAIN=go1.25.5  go run -trimpath . > ../go1.25.pb.gz
//	GOTOOLCHAIN=go1.26.8  go run -trimpath . > ../go1.26.pb.gz
//
// then, in the folder of the package:
//
//	go test -run TestFixtures -update .
package main

import (
	"context"
	"iter"
	"log"
	"net"
	"os"
	"os/signal"
	"reflect"
	"runtime/pprof"
	"sync"
	"syscall"
	"time"
)

func main() {
	start(3, chanSend)
	start(4, chanReceive)
	start(2, chanRange)
	start(5, selectTwo)
	start(1, selectReflect)
	start(2, selectNoCases)
	start(3, mutex)
	start(2, rwMutexRead)
	start(2, rwMutexWrite)
	start(3, waitGroup)
	start(2, cond)
	start(6, sleep)
	start(1, ioWait)
	start(1, fileWrite)
	start(1, blockingRead)
	start(1, spin)
	start(1, pull)
	go http{}.serve()
	labelled("tenant", "a secret of the first")
	labelled("tenant", "a secret of the second")
	signal.Notify(make(chan os.Signal, 1), syscall.SIGUSR1)

	time.Sleep(time.Second) // so that all have come to where they wait
	if err := pprof.Lookup(profileName()).WriteTo(os.Stdout, 0); err != nil {
		log.Fatal(err)
	}
}

func start(n int, f func()) {
	for i := 0; i < n; i++ {
		go f()
	}
}

var (
	full    = make(chan int)
	empty   = make(chan int)
	locked  sync.Mutex
	written sync.RWMutex
	read    sync.RWMutex
	group   sync.WaitGroup
)

func init() {
	locked.Lock()
	written.Lock()
	read.RLock()
	group.Add(1)
}

func chanSend() { full <- 1 }

func chanReceive() { <-empty }

func chanRange() {
	for range empty {
	}
}

func selectTwo() {
	select {
	case <-empty:
	case full <- 1:
	}
}

func selectReflect() {
	reflect.Select([]reflect.SelectCase{
		{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(empty)},
		{Dir: reflect.SelectSend, Chan: reflect.ValueOf(full), Send: reflect.ValueOf(1)},
	})
}

func selectNoCases() { select {} }

func mutex() { locked.Lock() }

func rwMutexRead() { written.RLock() }

func rwMutexWrite() { read.Lock() }

func waitGroup() { group.Wait() }

func cond() {
	var m sync.Mutex
	m.Lock()
	sync.NewCond(&m).Wait()
}

func sleep() { time.Sleep(time.Hour) }

// ioWait waits for a connection that nobody makes.
func ioWait() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	_, _ = l.Accept()
}

// fileWrite fills a pipe; a second writer then waits for the lock of the file.
func fileWrite() {
	_, w, err := os.Pipe()
	if err != nil {
		log.Fatal(err)
	}
	go writeLots(w)
	time.Sleep(100 * time.Millisecond)
	writeMore(w)
}

func writeLots(w *os.File) { _, _ = w.Write(make([]byte, 1<<20)) }

func writeMore(w *os.File) { _, _ = w.Write([]byte("more")) }

// blockingRead stays in a system call.
func blockingRead() {
	var fds [2]int
	if err := syscall.Pipe(fds[:]); err != nil {
		log.Fatal(err)
	}
	_, _ = syscall.Read(fds[0], make([]byte, 1))
}

func spin() {
	for i := 0; ; i++ {
	}
}

// pull leaves an iterator suspended.
func pull() {
	next, _ := iter.Pull(func(yield func(int) bool) { yield(1) })
	next()
	select {}
}

// http stands for a method value on a type with inlined calls.
type http struct{}

func (h http) serve() { h.handle() }

func (http) handle() { wait(empty) }

func wait(c chan int) { <-c }

// labelled starts goroutines that differ in their labels alone.
func labelled(key, value string) {
	pprof.Do(context.Background(), pprof.Labels(key, value), func(context.Context) {
		start(2, request)
	})
}

func request() { <-empty }
