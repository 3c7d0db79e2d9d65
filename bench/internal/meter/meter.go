// Package meter measures a receiver that scrapes targets, in a process of its own: CPU, memory,
// and when each target was scraped.
package meter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

// Plan is what to measure.
type Plan struct {
	// List is a file with targets in the format of file_sd.
	List     string
	Targets  int
	Interval time.Duration
	// Intervals is the number of intervals to measure, after the first.
	Intervals int
	// Poll is how often the list is read.
	Poll    time.Duration
	Capture string `json:",omitempty"`
	// Exchanged is a file that replaces the list at the end, New the number of new targets in it.
	Exchanged string `json:",omitempty"`
	New       int    `json:",omitempty"`
}

// Figures has the results.
type Figures struct {
	// Version is the version of the measured module.
	Version string  `json:"version"`
	Targets int     `json:"targets"`
	Cores   float64 `json:"cores"`
	// Memory is the peak resident memory in bytes.
	Memory  int `json:"memory"`
	Scrapes int `json:"scrapes"`
	// InTime is the share of due scrapes that succeeded within their interval.
	InTime float64 `json:"in_time"`
	// Peak is the number of scrapes in the busiest second since the start, relative to the mean.
	Peak     float64   `json:"peak"`
	Exchange *Exchange `json:"exchange,omitempty"`
}

// Exchange has the results of replacing the list.
type Exchange struct {
	New int `json:"new"`
	// InEffect is the number of seconds until all new targets had been scraped.
	InEffect float64 `json:"in_effect"`
	// Lost is the number of scrapes of remaining targets that were omitted or failed, Failed the number of failed
	// scrapes since the start.
	Lost   int     `json:"lost"`
	Failed int     `json:"failed"`
	Peak   float64 `json:"peak"`
}

// PerScrape returns the CPU time of a scrape in seconds.
func (f Figures) PerScrape(plan Plan) float64 {
	return f.Cores * float64(plan.Intervals) * plan.Interval.Seconds() / float64(f.Scrapes)
}

// PerTarget returns the memory of a target in bytes.
func (f Figures) PerTarget() float64 { return float64(f.Memory) / float64(f.Targets) }

// Main reads a plan from in, measures a receiver of a module, and writes the figures to out.
func Main(in io.Reader, out io.Writer, module string, factory receiver.Factory, configure func(Plan) (component.Config, error)) error {
	var plan Plan
	if err := json.NewDecoder(in).Decode(&plan); err != nil {
		return err
	}
	config, err := configure(plan)
	if err != nil {
		return err
	}
	figures, err := measure(context.Background(), factory, config, plan)
	if err != nil {
		return err
	}
	figures.Version = version(module)
	return json.NewEncoder(out).Encode(figures)
}

// version returns the version of a module in this binary, or "".
func version(module string) string {
	info, _ := debug.ReadBuildInfo()
	for _, d := range info.Deps {
		if d.Path == module {
			return d.Version
		}
	}
	return ""
}

func measure(ctx context.Context, factory receiver.Factory, config component.Config, plan Plan) (f Figures, err error) {
	sink := newSink()
	next, err := consumer.NewMetrics(sink.consume)
	if err != nil {
		return f, err
	}
	r, err := factory.CreateMetrics(ctx, receivertest.NewNopSettings(factory.Type()), config, next)
	if err != nil {
		return f, err
	}
	if err := r.Start(ctx, componenttest.NewNopHost()); err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, r.Shutdown(ctx)) }()
	if err := sink.await(plan.Targets, 3*plan.Interval+time.Minute); err != nil {
		return f, err
	}
	// The first scrape of a target may be long before its place in the interval. From now on each target is scraped
	// once in each interval.
	<-time.After(plan.Interval / 2)
	began, cpu := time.Now(), cpuTime()
	memory, err := peakOf(time.Duration(plan.Intervals) * plan.Interval)
	if err != nil {
		return f, err
	}
	ended := time.Now()
	f = Figures{Targets: plan.Targets, Cores: (cpuTime() - cpu).Seconds() / ended.Sub(began).Seconds(), Memory: memory}
	f.Scrapes, f.InTime = sink.inTime(began, plan)
	f.Peak = sink.peak(time.Time{}, ended, plan)
	if plan.Exchanged != "" {
		f.Exchange, err = exchange(sink, plan)
	}
	return f, err
}

// exchange replaces the list of targets.
func exchange(s *sink, plan Plan) (*Exchange, error) {
	began := time.Now()
	if err := os.Rename(plan.Exchanged, plan.List); err != nil {
		return nil, err
	}
	if err := s.await(plan.Targets+plan.New, 3*plan.Interval+time.Minute); err != nil {
		return nil, err
	}
	ended := time.Now()
	<-time.After(3 * plan.Interval / 2) // until remaining targets have been scraped again
	return &Exchange{
		New: plan.New, InEffect: ended.Sub(began).Seconds(), Failed: s.failures(),
		Lost: s.lost(began, time.Now(), plan.New, plan.Interval), Peak: s.peak(began, time.Now(), plan),
	}, nil
}

// peakOf returns the peak resident memory during a time from now on, in bytes.
func peakOf(length time.Duration) (int, error) {
	end := time.After(length)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	most := 0
	for {
		now, err := resident()
		if err != nil {
			return 0, err
		}
		most = max(most, now)
		select {
		case <-end:
			return most, nil
		case <-tick.C:
		}
	}
}

// resident returns the resident memory of this process in bytes.
func resident() (int, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0, fmt.Errorf("/proc/self/statm is %q", text)
	}
	pages, err := strconv.Atoi(fields[1])
	return pages * os.Getpagesize(), err
}

// cpuTime returns the CPU time that this process has used.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // never fails for RUSAGE_SELF
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
