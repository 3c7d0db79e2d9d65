package main

import (
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// progressInterval is the time between two lines of progress.
const progressInterval = 10 * time.Second

// runWithProgress is run with a worker per processor. It writes progress to w.
func runWithProgress(w io.Writer, all []family, first, perFamily int) [][]caseResult {
	var played atomic.Int64
	end := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { writeProgress(w, &played, len(all)*perFamily, end) })
	defer wg.Wait()
	defer close(end)
	return run(all, first, perFamily, runtime.GOMAXPROCS(0), &played)
}

// writeProgress writes a line with the number of played cases every progressInterval, until end is closed.
func writeProgress(w io.Writer, played *atomic.Int64, of int, end <-chan struct{}) {
	ticker := time.NewTicker(progressInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			fmt.Fprintf(w, "%d of %d cases\n", played.Load(), of)
		case <-end:
			return
		}
	}
}
