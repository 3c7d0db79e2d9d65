package leakdetect

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// TestMixedUpProcessesAreLoggedOncePerService sends the data of two processes of each of three
// services under one identity, repeatedly.
func TestMixedUpProcessesAreLoggedOncePerService(t *testing.T) {
	r := newRig(t)
	logs, consume := r.createNamed("mixed")
	for minute := range 60 {
		at := epoch.Add(time.Duration(minute) * time.Minute)
		md := pmetric.NewMetrics()
		for _, service := range []string{"shop", "billing", ""} {
			for instance := range 2 {
				s := newFakeProcess(service)
				s.start = epoch.Add(-time.Duration(1+minute%2) * time.Hour)
				one := s.census(at, steady("app.worker", "app.pool", 40))
				attributes := one.ResourceMetrics().At(0).Resource().Attributes()
				attributes.PutStr("host.name", fmt.Sprint("host-", instance))
				attributes.Remove("service.instance.id")
				if service == "" {
					attributes.Remove("service.name")
				}
				one.ResourceMetrics().MoveAndAppendTo(md.ResourceMetrics())
			}
		}
		consume(md)
	}
	logged := make(map[any]int)
	for _, entry := range logs.All() {
		assert.Contains(t, entry.Message, "service.instance.id")
		logged[entry.ContextMap()["service.name"]]++
	}
	assert.Equal(t, map[any]int{"shop": 1, "billing": 1, nil: 1}, logged)
}

// TestDistinctReplicasAreNotLogged sends replicas with their own instance IDs, which restart.
func TestDistinctReplicasAreNotLogged(t *testing.T) {
	r := newRig(t)
	logs, consume := r.createNamed("apart")
	for minute := range 60 {
		at := epoch.Add(time.Duration(minute) * time.Minute)
		s := newFakeProcess("shop")
		s.start = epoch.Add(time.Duration(minute/20) * 20 * time.Minute)
		md := s.census(at, steady("app.worker", "app.pool", 40))
		md.ResourceMetrics().At(0).Resource().Attributes().PutStr("service.instance.id", strconv.Itoa(minute%2))
		again := pmetric.NewMetrics()
		md.CopyTo(again)
		consume(md)
		consume(again) // retried by a sender that got no response
	}
	assert.Zero(t, logs.Len())
}

// TestTwoShardsWithOneIndex scrapes a process by two receivers alternately, as two shards with the
// same index do. The second starts hours later, so all goroutines are young to it at first. Healthy
// groups must not be flagged, and the service must be logged.
func TestTwoShardsWithOneIndex(t *testing.T) {
	r := newRig(t)
	logs, consume := r.createNamed("shards")
	const interval, second = 30 * time.Second, 3 * time.Hour
	sessions := func(at, since time.Time) group { // forty, each with a lifetime of an hour
		held := min(at.Sub(since).Minutes(), 60)
		return group{
			signature: "sig-app.session", function: "app.session", entry: "app.serve", count: 40,
			aged: int(40 * max(0, held-10) / 60), exits: int(40 * max(0, at.Sub(since).Hours()-1)),
		}
	}
	for after := time.Duration(0); after < 48*time.Hour; after += interval {
		at, s := epoch.Add(after), newFakeProcess("shop")
		if after >= second && after/interval%2 == 1 {
			s.start = epoch.Add(second)
		}
		pool := steady("app.worker", "app.pool", 40)
		if at.Sub(s.start) < 10*time.Minute {
			pool.aged = 0
		}
		for _, f := range takeFlags(consume(s.census(at, pool, sessions(at, s.start)))) {
			t.Fatalf("%s is flagged after %v", f.attributes.AsRaw(), after)
		}
	}
	assert.Equal(t, 1, logs.FilterMessageSnippet("one process is watched twice").Len())
}
