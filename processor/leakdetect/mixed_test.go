package leakdetect

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Two processes of each of three services send under one identity. Each service is told of
// once, however many of its processes are mixed up, and however often they go on.
func TestMixedUpProcessesAreLoggedOnceAService(t *testing.T) {
	r := newRig(t)
	logs, consume := r.createNamed("mixed")
	for minute := range 60 {
		at := epoch.Add(time.Duration(minute) * time.Minute)
		md := pmetric.NewMetrics()
		for _, service := range []string{"shop", "billing", ""} {
			for instance := range 2 {
				s := newScene(service)
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
	told := make(map[any]int)
	for _, entry := range logs.All() {
		assert.Contains(t, entry.Message, "service.instance.id")
		told[entry.ContextMap()["service.name"]]++
	}
	assert.Equal(t, map[any]int{"shop": 1, "billing": 1, nil: 1}, told)
}

// The same process, told apart by its instance, and restarted.
func TestReplicasThatAreToldApartAreNotLogged(t *testing.T) {
	r := newRig(t)
	logs, consume := r.createNamed("apart")
	for minute := range 60 {
		at := epoch.Add(time.Duration(minute) * time.Minute)
		s := newScene("shop")
		s.start = epoch.Add(time.Duration(minute/20) * 20 * time.Minute)
		md := s.census(at, steady("app.worker", "app.pool", 40))
		md.ResourceMetrics().At(0).Resource().Attributes().PutStr("service.instance.id", strconv.Itoa(minute%2))
		again := pmetric.NewMetrics()
		md.CopyTo(again)
		consume(md)
		consume(again) // by a sender that did not hear of its success
	}
	assert.Zero(t, logs.Len())
}

// Two shards have one index: two receivers scrape each process in turns. The second one starts hours
// later, so to it everybody is young at first. Nothing that is healthy may be flagged, and the service
// is told of.
func TestTwoShardsWithOneIndexFlagNothingHealthy(t *testing.T) {
	r := newRig(t)
	logs, consume := r.createNamed("shards")
	const interval, second = 30 * time.Second, 3 * time.Hour
	sessions := func(at, since time.Time) group { // forty that live for an hour each
		held := min(at.Sub(since).Minutes(), 60)
		return group{
			signature: "sig-app.session", function: "app.session", entry: "app.serve", count: 40,
			aged: int(40 * max(0, held-10) / 60), exits: int(40 * max(0, at.Sub(since).Hours()-1)),
		}
	}
	for after := time.Duration(0); after < 48*time.Hour; after += interval {
		at, s := epoch.Add(after), newScene("shop")
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
