package main

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

// The functions in this file are healthy. Each runs until its context is done, and
// returns when all goroutines that it has started have ended.

const (
	// poolSize is the number of workers.
	poolSize = 40
	// warmUp is how long the pool takes to hire them: long enough to be seen
	// as growth, and short enough to be over before growth counts as a leak.
	warmUp = 5 * time.Second
)

// runPool starts workers one by one and gives them jobs. It grows only once.
func runPool(ctx context.Context) {
	jobs := make(chan time.Duration)
	var workers sync.WaitGroup
	defer workers.Wait()
	defer close(jobs)

	hiring := time.NewTicker(warmUp / poolSize)
	defer hiring.Stop()
	for hired := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-hiring.C:
			if hired < poolSize {
				hired++
				workers.Add(1)
				go runWorker(jobs, &workers)
			}
			jobs <- 20 * time.Millisecond // with 8 jobs a second, a worker is always free
		}
	}
}

func runWorker(jobs <-chan time.Duration, workers *sync.WaitGroup) {
	defer workers.Done()
	for job := range jobs {
		time.Sleep(job)
	}
}

// The load, as a service sees it over a day, in a fraction of a minute.
const (
	// loadPeriod is the time from one peak of the load to the next. Half of it
	// is too short for growth to count as a leak.
	loadPeriod = 20 * time.Second
	// peakLoad and lowLoad are in requests a second.
	peakLoad, lowLoad = 200, 20
	// requestTime is how long a request takes.
	requestTime = 400 * time.Millisecond
	// admission is how often new requests are let in.
	admission = 10 * time.Millisecond
)

// takeRequests serves a load that goes up and down: between 8 and 80 requests at
// a time.
func takeRequests(ctx context.Context) {
	var requests sync.WaitGroup
	defer requests.Wait()
	begin := time.Now()
	ticker := time.NewTicker(admission)
	defer ticker.Stop()
	for due := 0.0; ; {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			for due += load(now.Sub(begin)) * admission.Seconds(); due >= 1; due-- {
				requests.Add(1)
				go handleRequest(ctx, &requests)
			}
		}
	}
}

// load returns the requests a second at a time after the start, which is in the
// deepest night.
func load(t time.Duration) float64 {
	phase := 2 * math.Pi * t.Seconds() / loadPeriod.Seconds()
	return lowLoad + (peakLoad-lowLoad)*(1-math.Cos(phase))/2
}

func handleRequest(ctx context.Context, requests *sync.WaitGroup) {
	defer requests.Done()
	pause(ctx, requestTime)
}

const (
	// clients is the number of clients, each with one session at a time.
	clients = 40
	// meanSession is how long a session lasts on average.
	meanSession = 15 * time.Second
)

// keepSessions holds a session for each client. A client whose session ends returns
// at once. Lifetimes are exponential, so the sessions are in a steady state from the
// start.
func keepSessions(ctx context.Context) {
	var sessions sync.WaitGroup
	defer sessions.Wait()
	ended := make(chan struct{})
	connect := func() {
		sessions.Add(1)
		go holdSession(ctx, lifetime(), ended, &sessions)
	}
	for range clients {
		connect()
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ended:
			connect()
		}
	}
}

func lifetime() time.Duration {
	return time.Duration(rand.ExpFloat64() * float64(meanSession))
}

// holdSession says that it has ended, unless the service ends first.
func holdSession(ctx context.Context, life time.Duration, ended chan<- struct{}, sessions *sync.WaitGroup) {
	defer sessions.Done()
	pause(ctx, life)
	select {
	case ended <- struct{}{}:
	case <-ctx.Done():
	}
}

// beat does a little work once a second.
func beat(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for beats := 0; ; beats++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// pause waits for d, or until ctx is done.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
