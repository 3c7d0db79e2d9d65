package main

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// The data of a fleet: two hours with a scrape every ten minutes, in which the detector builds its state, and then the
// measured scrapes, a minute apart as in production. Small fleets have more measured scrapes, since their CPU time would
// be too short otherwise.
const (
	warmScrapes, warmStep     = 12, 10.0 // minutes
	leastScrapes, mostScrapes = 4, 40
	leastPoints               = 4_000_000
	instances                 = 20 // of each service
)

// fleet is a number of processes that run copies of the programs.
type fleet struct {
	batches   [][]pmetric.Metrics // by program, then scrape
	processes int
	streams   int // each has a point in every scrape
	scrapes   int // that are measured
}

// minutes returns the times of all scrapes, the last n of which are measured.
func minutes(n int) []float64 {
	var all []float64
	for i := range warmScrapes {
		all = append(all, float64(i)*warmStep)
	}
	for i := range n {
		all = append(all, (warmScrapes-1)*warmStep+float64(i+1))
	}
	return all
}

// newFleet returns a fleet with about the given number of streams.
func newFleet(streams int, deltas bool) *fleet {
	f := &fleet{scrapes: min(max(leastScrapes, leastPoints/streams), mostScrapes)}
	points := 0
	for number := range programs {
		var batches []pmetric.Metrics
		all := minutes(f.scrapes)
		for i, r := range reports(number, all) {
			batches = append(batches, batchOf(r, timeAt(all[i]), deltas))
		}
		f.batches = append(f.batches, batches)
		points += batches[warmScrapes].DataPointCount()
	}
	f.processes = max(1, streams*programs/points)
	f.streams = f.processes * points / programs
	return f
}

// send passes one scrape of all processes to a consumer, in a batch for each process, as a receiver does. It returns the
// number of points.
func (f *fleet) send(scrape int, to consumer.Metrics) (points int, err error) {
	for process := range f.processes {
		batch := f.batches[process/instances%programs][scrape]
		md := pmetric.NewMetrics()
		batch.CopyTo(md)
		resource := md.ResourceMetrics().At(0).Resource().Attributes()
		resource.PutStr("service.name", fmt.Sprint("service-", process/instances))
		resource.PutStr("service.instance.id", fmt.Sprint("instance-", process))
		points += md.DataPointCount()
		if err := to.ConsumeMetrics(context.Background(), md); err != nil {
			return 0, err
		}
	}
	return points, nil
}

// groups returns the number of groups of all processes.
func (f *fleet) groups() int { return f.processes * groupsOfProcess }

// cost is the cost of some scrapes of a fleet.
type cost struct {
	scrapes, points int
	cpu             time.Duration
}

// warm passes the first two hours to a consumer.
func (f *fleet) warm(by consumer.Metrics) error {
	_, err := f.measure(0, warmScrapes, by)
	return err
}

// steady passes the scrapes after them to a consumer, and returns their cost.
func (f *fleet) steady(by consumer.Metrics) (cost, error) {
	return f.measure(warmScrapes, warmScrapes+f.scrapes, by)
}

// measure passes scrapes to a consumer, and returns their cost in CPU time, including garbage collection.
func (f *fleet) measure(from, to int, by consumer.Metrics) (cost, error) {
	c := cost{scrapes: to - from}
	before := cpuTime()
	for scrape := from; scrape < to; scrape++ {
		points, err := f.send(scrape, by)
		if err != nil {
			return cost{}, err
		}
		c.points += points
	}
	c.cpu = cpuTime() - before
	return c, nil
}

// cpuTime returns the CPU time of this process, which depends less on other processes than wall-clock time.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // only fails for an invalid argument
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
