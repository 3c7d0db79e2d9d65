package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/otel-goroutine/otel-goroutine/bench/internal/result"
)

// What a process is like by which fleets are computed: that of bench/streams.
const groupsOfProcess = 50

// What a detector should have at most, by which their number is computed: then its state is
// saved every three minutes, and it takes some 1 GiB.
const processesOfDetector = 20_000

// heapFactor is what Go's garbage collector lets the heap grow to, by default, over what is in use.
const heapFactor = 2

// unitCosts has what a scrape, a target, a point and a group cost.
type unitCosts struct {
	scrape float64 // seconds
	target float64 // bytes, if its connection is kept alive

	detecting, writing, reading float64 // seconds
	wire                        float64 // bytes, in gzip
	streams                     float64 // of a group
	memory, state               float64 // bytes of a group
}

// costs returns what the results of the two benchmarks at scale say. Both are of a look a minute.
func costs(detecting, scraping result.Results) (unitCosts, error) {
	var missing []string
	find := func(of result.Results, name string, matches func(s, part string) bool) float64 {
		for _, r := range of.Rows {
			if matches(r.Name, name) {
				return r.Value
			}
		}
		missing = append(missing, name)
		return math.NaN()
	}
	value := func(name string) float64 { return find(detecting, name, strings.HasSuffix) }
	perUnit := func(of result.Results) float64 {
		last := of.Growth[len(of.Growth)-1]
		return last.Cores * 60 / float64(last.Number)
	}
	c := unitCosts{
		scrape:    perUnit(scraping),
		target:    find(scraping, "memory of a target, beside", strings.HasPrefix) * (1 << 10),
		detecting: perUnit(detecting),
		writing:   value("a point written as OTLP") / 1e6,
		reading:   value("a point read from OTLP") / 1e6,
		wire:      value("a point as OTLP, in gzip"),
		streams:   value("streams of a group of goroutines"),
		memory:    value("memory of a group"),
		state:     value("state of a group"),
	}
	if len(missing) > 0 {
		return c, fmt.Errorf("no results of %s", strings.Join(missing, ", "))
	}
	return c, nil
}

// sizing returns the table of what fleets take, in Markdown, for a look a minute.
func sizing(c unitCosts, fleets []int) string {
	var b strings.Builder
	b.WriteString("| processes |")
	for _, n := range fleets {
		fmt.Fprintf(&b, " %s |", number(n))
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(fleets)) + "\n")
	row := func(name string, of func(processes float64) string) {
		fmt.Fprintf(&b, "| %s |", name)
		for _, n := range fleets {
			fmt.Fprintf(&b, " %s |", of(float64(n)))
		}
		b.WriteString("\n")
	}
	series := func(n float64) float64 { return n * groupsOfProcess * c.streams }
	points := func(n float64) float64 { return series(n) / 60 }
	row("points a second", func(n float64) string { return short(points(n)) })
	row("**scraping**: cores", func(n float64) string { return short(n * c.scrape / 60) })
	row("memory", func(n float64) string { return size(n * c.target) })
	row("**detecting**: cores", func(n float64) string { return short(points(n) * c.detecting) })
	row("memory", func(n float64) string { return size(n * groupsOfProcess * c.memory * heapFactor) })
	row("state", func(n float64) string { return size(n * groupsOfProcess * c.state) })
	row("**between two tiers**: cores", func(n float64) string { return short(points(n) * (c.writing + c.reading)) })
	row("network", func(n float64) string { return size(points(n)*c.wire) + "/s" })
	row("**to the backend**, all: cores", func(n float64) string { return short(points(n) * c.writing) })
	row("series there", func(n float64) string { return short(series(n)) })
	row("detectors, at 20,000 processes each", func(n float64) string { return short(math.Ceil(n / processesOfDetector)) })
	return b.String()
}

// short returns a number to two digits.
func short(v float64) string {
	if v < 0.01 {
		return "below 0.01"
	}
	digits := math.Pow(10, math.Floor(math.Log10(v))-1)
	v = math.Round(v/digits) * digits
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.3g million", v/1e6)
	case v >= 1000:
		return number(int(math.Round(v)))
	}
	return fmt.Sprintf("%.3g", v)
}

// size returns a number of bytes to two digits.
func size(bytes float64) string {
	unit := 0
	for bytes >= 1000 && unit < 4 {
		bytes, unit = bytes/1024, unit+1
	}
	return short(bytes) + " " + [...]string{"B", "KiB", "MiB", "GiB", "TiB"}[unit]
}

// number writes a number with commas.
func number(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", number(n/1000), n%1000)
}
