package main

import (
	"context"
	"math"
	"math/rand/v2"
	"time"
)

const (
	// period is the time from one peak of the load to the next. Half of it is too short for growth in the
	// tests.
	period = 20 * time.Second
	// Requests per second.
	lowLoad, peakLoad = 5, 60
	requestTime       = 400 * time.Millisecond
	clients           = 20
	meanSession       = 10 * time.Second
	workers           = 10
)

// work simulates requests at a varying rate, sessions of all lengths, and a pool of workers.
func work(ctx context.Context, release int) {
	handle, session := handleFirst, sessionFirst
	if release > 1 {
		handle, session = handleSecond, sessionSecond
	}
	for range clients {
		go func() {
			for ctx.Err() == nil { // a client that leaves comes back
				done := make(chan struct{})
				go session(ctx, done)
				<-done
			}
		}()
	}
	jobs := make(chan time.Duration)
	for range workers {
		go func() {
			for job := range jobs {
				pause(ctx, job)
			}
		}()
	}
	defer close(jobs)
	takeRequests(ctx, handle, jobs)
}

func takeRequests(ctx context.Context, handle func(context.Context), jobs chan<- time.Duration) {
	phase := rand.Float64() * 2 * math.Pi // services peak at different times
	const admission = 20 * time.Millisecond
	ticker := time.NewTicker(admission)
	defer ticker.Stop()
	begin, due := time.Now(), 0.0
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			angle := phase + 2*math.Pi*now.Sub(begin).Seconds()/period.Seconds()
			load := lowLoad + (peakLoad-lowLoad)*(1-math.Cos(angle))/2
			for due += load * admission.Seconds(); due >= 1; due-- {
				go handle(ctx)
			}
		}
		select {
		case jobs <- requestTime / 10:
		default: // all workers are busy
		}
	}
}

// The functions of two releases differ only in their names and lines.

func handleFirst(ctx context.Context)  { pause(ctx, requestTime) }
func handleSecond(ctx context.Context) { pause(ctx, requestTime) }

func sessionFirst(ctx context.Context, done chan<- struct{}) {
	defer close(done)
	pause(ctx, time.Duration(rand.ExpFloat64()*float64(meanSession)))
}

func sessionSecond(ctx context.Context, done chan<- struct{}) {
	defer close(done)
	pause(ctx, time.Duration(rand.ExpFloat64()*float64(meanSession)))
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
