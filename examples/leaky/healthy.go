package main

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

// The functions in this file are healthy. Each runs until its context is done, and
// returns after all goroutines that it has started have exited.

const (
	// poolSize is the number of workers.
	poolSize = 40
	// warmUp is how long the pool takes to start them: long enough to be seen
	// as growth, but too short to count as a leak.
	warmUp = 5 * time.Second
)

// runPool starts workers one by one and gives them jobs. It grows only once.
func runPool(ctx context.Context) {
	jobs := make(chan time.Duration)
	var workers sync.WaitGroup
	defer workers.Wait()
	defer close(jobs)

	ticker := time.NewTicker(warmUp / poolSize)
	defer ticker.Stop()
	for started := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if started < poolSize {
				started++
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

// The daily load of a service, in a fraction of a minute.
const (
	// loadPeriod is the time between two peaks of the load. Half of it is too
	// short for growth to count as a leak.
	loadPeriod = 20 * time.Second
	// peakLoad and lowLoad are in requests a second.
	peakLoad, lowLoad = 200, 20
	// requestTime is how long a request takes.
	requestTime = 400 * time.Millisecond
	// startInterval is the time between the starts of new requests.
	startInterval = 10 * time.Millisecond
)

// takeRequests serves a load that rises and falls between 8 and 80 concurrent
// requests.
func takeRequests(ctx context.Context) {
	var requests sync.WaitGroup
	defer requests.Wait()
	begin := time.Now()
	ticker := time.NewTicker(startInterval)
	defer ticker.Stop()
	for due := 0.0; ; {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			for due += load(now.Sub(begin)) * startInterval.Seconds(); due >= 1; due-- {
				requests.Add(1)
				go handleRequest(ctx, &requests)
			}
		}
	}
}

// load returns the requests per second at a time after the start, which is at the
// lowest load.
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

// keepSessions holds a session for each client. A client whose session ends
// reconnects at once. Lifetimes are exponentially distributed, so the sessions are in
// a steady state from the start.
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

// holdSession signals its end, unless the service ends first.
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
