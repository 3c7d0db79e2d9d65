package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"
)

const (
	// refresh is how often the page is read: as often as the collector scrapes.
	refresh = time.Second
	// maxFailures is how many readings running may fail before the watch is
	// given up. A busy machine loses one or two.
	maxFailures = 5
)

// watcher shows what the collector flags.
type watcher struct {
	client   *http.Client
	url      string // of the metrics page
	screen   *screen
	expected []planted
	children []*child

	seen     tally
	risen    time.Duration // since the beginning, when a finding last rose
	latest   reading
	failures int
}

// watch shows the findings for as long as d, or until they are settled, and returns nil
// after it. It returns the error of ctx when that ends, and another if a child ends or
// the page cannot be read.
func (w *watcher) watch(ctx context.Context, d, settle time.Duration) error {
	begin := time.Now()
	again := time.NewTicker(refresh)
	defer again.Stop()
	for {
		if err := w.look(ctx, time.Since(begin)); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-again.C:
		}
		if elapsed := time.Since(begin); elapsed >= d || w.settled(elapsed, settle) {
			return nil
		}
	}
}

// settled reports whether everything planted has been found, nothing healthy was
// flagged, and no finding has risen for as long as settle.
func (w *watcher) settled(elapsed, settle time.Duration) bool {
	return settle > 0 && elapsed-w.risen >= settle && w.seen.judge(w.expected).ok()
}

// look makes sure that the children live, reads the page once and shows what is
// new.
func (w *watcher) look(ctx context.Context, elapsed time.Duration) error {
	for _, c := range w.children {
		if c.gone() {
			return cmp.Or(ctx.Err(), c.death())
		}
	}
	r, err := readPage(ctx, w.client, w.url)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		w.failures = 0
		w.take(r, elapsed)
		return nil
	}
	w.failures++
	if w.failures >= maxFailures {
		return fmt.Errorf("the metrics page cannot be read, %d times running: %w", w.failures, err)
	}
	return nil
}

func (w *watcher) take(r reading, elapsed time.Duration) {
	if r.source != w.latest.source {
		w.screen.say(sourceLine(r.source))
	}
	if r.trouble != w.latest.trouble && r.trouble != "" {
		w.screen.say("The collector cannot read the service: " + r.trouble)
	}
	w.latest = r
	for _, f := range w.seen.observe(r.findings) {
		w.risen = elapsed
		if !w.screen.live {
			w.screen.say(fmt.Sprintf("%3.0f s  %v", elapsed.Seconds(), f))
		}
	}
	w.screen.show(append([]string{w.status(elapsed)}, table(r.findings)...)...)
}

func (w *watcher) status(elapsed time.Duration) string {
	return fmt.Sprintf("%.0f s, %d goroutines: %v", elapsed.Seconds(), w.latest.goroutines, w.seen.judge(w.expected))
}

// sourceLine tells what the collector reads, and what that means.
func sourceLine(source string) string {
	switch source {
	case "trace":
		return "The collector reads goroutine IDs from execution traces."
	case "profile":
		return "The collector reads counts only, from goroutine profiles: severity stays at suspected."
	case "":
		return "The collector has lost the service."
	}
	return "The collector reads " + source + "."
}
