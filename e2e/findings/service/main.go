// Command service simulates a shop in which each kind of call leaks goroutines at times, in its own way. It
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
	duration := flag.Duration("for", time.Minute, "`duration` after which the service exits")
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
	// One of leaking calls leaks. Which one is random, so that leaks are independent of each other.
	leaking = 5
)

// repeat starts a call at each tick, without waiting for the previous one.
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

// handle calls call, so that every stack has at least two lines of the service.
func handle(call func(leaks bool)) { call(rand.IntN(leaking) == 0) }

// work is the duration of a step of a call.
const work = 3 * time.Millisecond
