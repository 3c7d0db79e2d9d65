// Command service starts goroutines of which most end and some leak, each kind for another
// reason. It serves net/http/pprof.
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
	duration := flag.Duration("for", time.Minute, "`duration` after which the service ends by itself")
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
	// leaking is of how many calls one leaks.
	leaking = 8
)

// repeat calls again and again. The calls do not wait for one another.
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

// calls returns one of each kind.
func calls() []func(leaks bool) {
	return []func(leaks bool){
		checkOut, askBackend, watchPrices, openSession, countVotes, updateStock, readMail,
		expireLater, remindLater, runReport, runBackup, fetchPages,
	}
}

// work is how long things take.
const work = 3 * time.Millisecond
