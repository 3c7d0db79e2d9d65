// Command service starts goroutines of several kinds. Some of each kind leak, each for another reason. It
// serves net/http/pprof.
package main

import (
	"context"
	"flag"
	"log"
	"net/http"
	_ "net/http/pprof"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:6063", "`address` that serves /debug/pprof/")
	duration := flag.Duration("for", time.Minute, "`duration` after which the service exits")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), *duration)
	defer cancel()
	server := &http.Server{Addr: *listen, ReadHeaderTimeout: time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	for _, call := range calls() {
		go repeat(ctx, call)
	}
	log.Print(server.ListenAndServe())
}

const (
	// every is the time from one call to the next.
	every = 25 * time.Millisecond
	// One of leaking calls leaks.
	leaking = 8
)

// repeat starts a call at each tick, without waiting for the previous one.
func repeat(ctx context.Context, call func(leaks bool)) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			go call(n%leaking == 0)
		}
	}
}

// calls returns a function for each kind of call.
func calls() []func(leaks bool) {
	return []func(leaks bool){
		checkOut, askBackend, watchPrices, openSession, countVotes, updateStock, readMail,
		expireLater, remindLater, runReport, runBackup, fetchPages,
	}
}

// work is the duration of a step of a call.
const work = 3 * time.Millisecond
