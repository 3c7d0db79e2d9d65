package main

import (
	"sync"
	"time"
)

// expireLater starts goroutines that wait for timers, some of which are nil.
func expireLater(leaks bool) {
	var expired <-chan time.Time
	if !leaks {
		expired = time.After(work)
	}
	go expire(expired) // creator: expire
}

func expire(expired <-chan time.Time) { <-expired } // waits: expire

// remindLater starts goroutines by timers.
func remindLater(leaks bool) {
	reminded := make(chan struct{})
	time.AfterFunc(work, func() { remind(reminded) })
	if !leaks {
		time.Sleep(2 * work)
		close(reminded) // waker: remind
	}
}

func remind(reminded <-chan struct{}) { <-reminded } // waits: remind

// background starts a job in a goroutine, as helpers in many services do.
func background(job func()) { go job() }

// runReport and runBackup start their goroutines with the same helper.
func runReport(leaks bool) {
	done := make(chan struct{})
	background(func() { <-done }) // creator: runReport.func1; waits: runReport.func1
	time.Sleep(work)
	if !leaks {
		close(done) // waker: runReport.func1
	}
}

func runBackup(leaks bool) {
	slots := make(chan struct{})
	background(func() { slots <- struct{}{} }) // creator: runBackup.func1; waits: runBackup.func1
	time.Sleep(work)
	if !leaks {
		<-slots // waker: runBackup.func1
	}
}

// fetchPages starts goroutines with sync.WaitGroup.Go.
func fetchPages(leaks bool) {
	var pages sync.WaitGroup
	fetched := make(chan struct{})
	pages.Go(func() { <-fetched }) // creator: fetchPages.func1; waits: fetchPages.func1
	time.Sleep(work)
	if !leaks {
		fetched <- struct{}{} // waker: fetchPages.func1
		pages.Wait()
	}
}
