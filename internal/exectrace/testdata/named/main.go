// Named leaks goroutines in code that is not its own: in C, in golang.org/x, in the
// standard library, in modules with odd paths. It writes the goroutine profile and an
// execution trace of itself, from which tests read how these are named. It needs a C
// compiler, sleep and cat.
//
//	cd testdata/named
//	for v in 1.26.8 1.27.3; do
//		for what in all init; do
//			GOTOOLCHAIN=go$v go run -trimpath . -what $what -o $what-go${v%.*}
//		done
//	done
//	cd ../.. && go test -update .
//
// What it leaks is grouped by file. TestNames says how each is named.
package main

import (
	"bytes"
	"errors"
	"flag"
	"log"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"time"
)

var (
	what = flag.String("what", "all", "what to leak: all, or init, which waits while main is initialised")
	out  = flag.String("o", "", "path of the files to write, without .trace and .profile")
)

// never is a channel that nobody uses.
var never = make(chan int)

// init waits in the place of main, if it is asked to.
func init() {
	flag.Parse()
	runtime.GOMAXPROCS(2) // wherever this runs
	if *what == "init" {
		go record()
		<-never
	}
}

func main() {
	leakCalls()
	leakCoroutines()
	leakExtended()
	leakStandard()
	leakHTTP()
	leakPaths()
	go record()
	<-never
}

// record writes the files, and ends the process.
func record() {
	// Long enough for all to come to where they stay.
	time.Sleep(time.Second)
	var profiled, traced bytes.Buffer
	must(pprof.Lookup("goroutine").WriteTo(&profiled, 0))
	must(trace.Start(&traced))
	time.Sleep(time.Millisecond)
	trace.Stop()
	must(errors.Join(
		os.WriteFile(*out+".profile", profiled.Bytes(), 0o644),
		os.WriteFile(*out+".trace", traced.Bytes(), 0o644)))
	os.Exit(0)
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// kept keeps what is open from being closed by the garbage collector.
var kept []any

func keep[T any](value T) T {
	kept = append(kept, value)
	return value
}

func get[T any](value T, err error) T {
	must(err)
	return value
}
