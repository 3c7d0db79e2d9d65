package main

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// The data of a fleet: two hours, a look every ten minutes, in which old goroutines gather and
// the detector comes to remember of each group what it does of most; and then those that are
// measured, a minute apart as in production. Of small fleets there are more, or the CPU they
// take could not be measured.
const (
	warmLooks, warmStep   = 12, 10.0 // minutes
	leastLooks, mostLooks = 4, 40
	leastPoints           = 4_000_000
	instances             = 20 // of each service
)

// fleet has the batches of each program, look by look.
type fleet struct {
	batches   [][]pmetric.Metrics // by program, then look
	processes int
	streams   int // of which each has a point a look
	looks     int // that are measured
}

// minutes returns the times of the looks, of which so many are measured.
func minutes(looks int) []float64 {
	var all []float64
	for i := range warmLooks {
		all = append(all, float64(i)*warmStep)
	}
	for i := range looks {
		all = append(all, (warmLooks-1)*warmStep+float64(i+1))
	}
	return all
}

// newFleet returns a fleet that has about so many streams.
func newFleet(streams int, deltas bool) *fleet {
	f := &fleet{looks: min(max(leastLooks, leastPoints/streams), mostLooks)}
	points := 0
	for number := range programs {
		var batches []pmetric.Metrics
		all := minutes(f.looks)
		for i, r := range reports(number, all) {
			batches = append(batches, batchOf(r, timeAt(all[i]), deltas))
		}
		f.batches = append(f.batches, batches)
		points += batches[warmLooks].DataPointCount()
	}
	f.processes = max(1, streams*programs/points)
	f.streams = f.processes * points / programs
	return f
}

// send passes a look at all processes to a consumer, a batch each, as a receiver does, and
// returns how many points they had.
func (f *fleet) send(look int, to consumer.Metrics) (points int, err error) {
	for process := range f.processes {
		batch := f.batches[process/instances%programs][look]
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

// groups returns how many groups of goroutines the processes have.
func (f *fleet) groups() int { return f.processes * groupsOfProcess }

// cost is what looks at a fleet took.
type cost struct {
	looks, points int
	cpu           time.Duration
}

// warm passes the first two hours to a consumer.
func (f *fleet) warm(by consumer.Metrics) error {
	_, err := f.measure(0, warmLooks, by)
	return err
}

// steady passes the looks after them to a consumer, and returns what that took.
func (f *fleet) steady(by consumer.Metrics) (cost, error) {
	return f.measure(warmLooks, warmLooks+f.looks, by)
}

// measure passes looks to a consumer and returns what that took of the CPU, garbage
// collection and all.
func (f *fleet) measure(from, to int, by consumer.Metrics) (cost, error) {
	c := cost{looks: to - from}
	before := cpuTime()
	for look := from; look < to; look++ {
		points, err := f.send(look, by)
		if err != nil {
			return cost{}, err
		}
		c.points += points
	}
	c.cpu = cpuTime() - before
	return c, nil
}

// cpuTime is what this process has used so far, which other processes do not disturb as they
// do a clock.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // it fails for a wrong argument only
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
