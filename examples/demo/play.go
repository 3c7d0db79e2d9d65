package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

const (
	// serviceTime and collectorTime are how long each may take to be ready.
	// They take 0.1 s and 2 s; a slow disk may have to read 90 MB first.
	serviceTime   = 15 * time.Second
	collectorTime = 45 * time.Second
	// afterwards is by how much the service outlives the watch, should this
	// process be killed where children are not bound to it.
	afterwards = 2 * time.Minute
)

// play runs service and collector, watches them and ends them. When ctx ends it
// returns what had been found by then, and an error that is context.Canceled.
func play(ctx context.Context, p programs, s settings, screen *screen) (verdict, error) {
	w := &watcher{
		client:   newClient(),
		url:      "http://" + s.address(metricsVariable) + "/metrics",
		screen:   screen,
		expected: plantedLeaks(),
		seen:     make(tally),
	}
	defer w.client.CloseIdleConnections()
	screen.say("Checking that the ports are free.")
	err := checkFree(s.ports)
	if err == nil {
		defer w.end()
		err = w.begin(ctx, p, s)
	}
	if err == nil {
		screen.say(introduction(s)...)
		err = w.watch(ctx, s.watch, s.settle)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		return verdict{}, err
	}
	if err != nil {
		screen.say("Interrupted. This is what was found by then.")
	}
	w.conclude()
	return w.seen.judge(w.expected), err
}

// begin starts the children and waits until each is ready.
func (w *watcher) begin(ctx context.Context, p programs, s settings) error {
	pprof := s.address(pprofVariable)
	w.screen.say(fmt.Sprintf("Starting the service, %s, with %d leaks and as many healthy neighbours.", p.service, len(w.expected)))
	args := []string{"-listen", pprof, "-for", (s.watch + afterwards).String()}
	ready := "http://" + pprof + "/debug/pprof/cmdline"
	if err := w.beginOne(ctx, "the service "+p.service, p.service, args, s, ready, serviceTime); err != nil {
		return err
	}
	w.screen.say(fmt.Sprintf("Starting the collector, %s, which scrapes the service every second.", p.collector))
	args = []string{"--config", p.config}
	ready = "http://" + s.address(healthVariable) + "/"
	return w.beginOne(ctx, "the collector "+p.collector, p.collector, args, s, ready, collectorTime)
}

func (w *watcher) beginOne(ctx context.Context, name, program string, args []string, s settings, ready string, timeout time.Duration) error {
	c, err := startChild(name, program, args, s.environment())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w; make demo-collector builds it", err)
	case err != nil:
		return err
	}
	w.children = append(w.children, c)
	return awaitReady(ctx, w.client, c, ready, timeout)
}

// end ends the children, the collector first, so that it does not miss the
// service.
func (w *watcher) end() {
	for len(w.children) > 0 {
		last := len(w.children) - 1
		w.children[last].stop()
		w.children = w.children[:last]
	}
}

// conclude ends the children and shows everything that was flagged.
func (w *watcher) conclude() {
	w.screen.say("Ending collector and service.")
	w.end()
	if findings := w.seen.findings(); len(findings) > 0 {
		w.screen.say("")
		w.screen.say(table(findings)...)
		w.screen.say("")
	}
}

// introduction tells where to look, and what to expect when.
func introduction(s settings) []string {
	address := func(variable, path, what string) string {
		return fmt.Sprintf("  %-41s  %s", "http://"+s.address(variable)+path, what)
	}
	watching := fmt.Sprintf("Watching for %v.", s.watch)
	if s.settle > 0 {
		watching = fmt.Sprintf("Watching until nothing new is found for %v, at most %v (%s sets how long).", s.settle, s.watch, secondsVariable)
	}
	return []string{
		"Meanwhile you can look at",
		address(pprofVariable, "/debug/pprof/", "the service's own profiles"),
		address(metricsVariable, "/metrics", "what the collector measures and flags"),
		address(zpagesVariable, "/debug/pipelinez", "the collector's pipelines"),
		watching + " Findings come after 20 to 40 s, from counts alone after 70 to 90 s; with the settings for production, after hours.",
	}
}
