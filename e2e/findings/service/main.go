// Command service is a shop in which most calls end and some leak, each kind in its own way. It
// serves net/http/pprof. The build tag repaired repairs one of the leaks.
package main

import (
	"context"
	"flag"
	"log"
	"math/rand/v2"
	"net/http"
	_ "net/http/pprof"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:6064", "`address` that serves /debug/pprof/")
	duration := flag.Duration("for", time.Minute, "`duration` after which the service ends by itself")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), *duration)
	defer cancel()
	if err := serve(ctx, *listen); err != nil {
		log.Print(err)
	}
}

func serve(ctx context.Context, address string) error {
	mail, err := startMail(ctx)
	if err != nil {
		return err
	}
	for _, call := range []func(leaks bool){
		checkOut, askBackend, openSession, updateStock, lookUpPrice, countVotes, readMail,
		followFeed, forwardChunk, remindLater, mail.greet,
	} {
		go repeat(ctx, call)
	}
	server := &http.Server{Addr: address, ReadHeaderTimeout: time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return server.ListenAndServe()
}

const (
	// every is the time from one call to the next: 20 of 25 a second are healthy.
	every = 40 * time.Millisecond
	// leaking is of how many calls one leaks on average. Chance decides which, so that no two leaks
	// keep step.
	leaking = 5
)

// repeat calls again and again. The calls do not wait for one another.
func repeat(ctx context.Context, call func(leaks bool)) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			go handle(call)
		}
	}
}

// handle is the caller of every call, so that no stack has one line alone.
func handle(call func(leaks bool)) { call(rand.IntN(leaking) == 0) }

// work is how long things take.
const work = 3 * time.Millisecond
