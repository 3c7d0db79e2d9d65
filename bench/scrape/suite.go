package main

import (
	"fmt"
	"io"
	"runtime"
	"syscall"
	"time"

	"github.com/otel-goroutine/otel-goroutine/bench/internal/meter"
	"github.com/otel-goroutine/otel-goroutine/bench/internal/result"
)

const peerModule = "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/prometheusreceiver"

// suite has the parameters of the benchmark.
type suite struct {
	interval, poll time.Duration
	// sizes has the numbers of targets for growth. The last is also scraped by profile, and some of its targets are
	// exchanged.
	sizes      []int
	exchanged  int
	besidePeer int    // one of sizes
	peer       string // binary; if empty, it is not measured
}

// full returns the suite of make scrape-bench.
func full(peer string) suite {
	return suite{
		interval: time.Minute, poll: 5 * time.Second, // the default of file_sd
		sizes: []int{100, 2000, 8000, 20_000}, exchanged: 5000, besidePeer: 2000,
		peer: peer,
	}
}

// measure runs the suite and writes its progress.
func (s suite) measure(progress io.Writer) (result.Results, error) {
	var r result.Results
	var beside, largest meter.Figures
	for _, targets := range s.sizes {
		plan := s.plan(targets, "trace")
		if targets == s.sizes[len(s.sizes)-1] {
			plan.New = s.exchanged
		}
		f, err := s.receive(progress, "", plan)
		if err != nil {
			return r, err
		}
		r.Growth = append(r.Growth, result.Point{Number: targets, Cores: f.Cores})
		if targets == s.besidePeer {
			beside = f
		}
		largest = f
	}
	byProfile, err := s.receive(progress, "", s.plan(largest.Targets, "profile"))
	if err != nil {
		return r, err
	}
	r.Rows = append(s.rows(largest, ""), s.rows(byProfile, ", by profile")...)
	r.Rows = append(r.Rows, exchangeRows(largest)...)
	r.Rows = append(r.Rows,
		result.Row{Name: fmt.Sprintf("exponent of growth of CPU from %d targets to that", s.sizes[0]), Value: result.Exponent(r.Growth)},
		result.Row{Name: "limit of open files; with more targets than half of it, connections are closed after each scrape", Unit: "file", Value: openFiles()},
	)
	if r, err = r.OfThisMachine(); err != nil || s.peer == "" {
		return r, err
	}
	peer, err := s.receive(progress, s.peer, s.plan(s.besidePeer, ""))
	if err != nil {
		return r, err
	}
	r.Versions[peerModule] = peer.Version
	r.Rows = append(s.besideRows(beside, peer), r.Rows...)
	return r, nil
}

func (s suite) plan(targets int, capture string) meter.Plan {
	return meter.Plan{Targets: targets, Interval: s.interval, Intervals: 1, Capture: capture, Poll: s.poll}
}

// rows returns the figures of scraping.
func (s suite) rows(f meter.Figures, how string) []result.Row {
	name := func(what string) string {
		return fmt.Sprintf("%d targets of %d goroutines every %g s%s: %s", f.Targets, goroutines, s.interval.Seconds(), how, what)
	}
	return []result.Row{
		{Name: name("CPU"), Unit: "core", Value: f.Cores},
		{Name: name("memory"), Unit: "GiB", Value: float64(f.Memory) / (1 << 30)},
		{Name: name("memory of a target"), Unit: "KiB", Value: f.PerTarget() / (1 << 10)},
		{Name: name("the busiest second, over the mean"), Value: f.Peak},
		{Name: name("scrapes within their interval"), Unit: "%", Value: 100 * f.InTime},
	}
}

// exchangeRows returns the figures of replacing the list.
func exchangeRows(f meter.Figures) []result.Row {
	name := func(what string) string {
		return fmt.Sprintf("%d of %d targets exchanged at once in a file: %s", f.Exchange.New, f.Targets, what)
	}
	return []result.Row{
		{Name: name("time until all new ones were scraped"), Unit: "s", Value: f.Exchange.InEffect},
		{Name: name("the busiest second, over the mean"), Value: f.Exchange.Peak},
		{Name: name("scrapes of the others that were missed"), Unit: "scrape", Value: float64(f.Exchange.Lost)},
	}
}

// besideRows returns the figures with the peer.
func (s suite) besideRows(f, peer meter.Figures) []result.Row {
	plan := s.plan(f.Targets, "")
	name := func(what string) string {
		return fmt.Sprintf("%s, beside prometheus on a page of %d series, %d targets", what, series, f.Targets)
	}
	return []result.Row{
		result.Beside(name("CPU of a scrape"), "ms", 1e3*f.PerScrape(plan), 1e3*peer.PerScrape(plan)),
		result.Beside(name("memory of a target"), "KiB", f.PerTarget()/(1<<10), peer.PerTarget()/(1<<10)),
	}
}

// openFiles returns the limit of open files, which the Go runtime raises to the hard limit.
func openFiles() float64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		panic(fmt.Sprintf("%s has no limit of open files: %v", runtime.GOOS, err))
	}
	return float64(limit.Cur)
}
