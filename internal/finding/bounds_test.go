package finding

import (
	"errors"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// flagged returns a point that flags a finding in a process, each identified by a number.
func flagged(id, process int) Point {
	place := order
	place.Line = id
	return Point{
		Metric: telemetry.LeakSeverity, Value: 2, At: epoch,
		Resource:   attributes("service.name", "shop", "service.instance.id", strconv.Itoa(process)),
		Attributes: attributes(place.pairs(strconv.Itoa(id))...),
	}
}

func TestBounds(t *testing.T) {
	b := NewTracker(Config{MaxFindings: 10, MaxProcesses: 20})
	for i := range 100 {
		b.Observe(flagged(i, i/10))
		b.Observe(flagged(0, i))
	}
	changes := b.Advance(epoch)
	findings, processes := b.Size()
	if len(changes) != 10 || findings != 10 || processes != 20 || b.Dropped().Beyond != 170 {
		t.Error(len(changes), findings, processes, b.Dropped())
	}
	// A new finding replaces one that is over.
	now := epoch.Add(25 * time.Hour)
	if ended := b.Advance(now); len(ended) != 10 || ended[0].Kind != Ended {
		t.Error(ended)
	}
	p := flagged(77, 1)
	p.At = now
	b.Observe(p)
	if changes := b.Advance(now); len(changes) != 1 || changes[0].Kind != Detected {
		t.Error(changes)
	}
	b.Advance(now.Add(26 * time.Hour))
	if b.Advance(now.Add(retention + 50*time.Hour)); len(b.services) != 0 {
		t.Error("findings that ended long ago are not deleted")
	}
	if findings, processes := b.Size(); findings != 0 || processes != 0 {
		t.Error(findings, processes)
	}
}

// TestManyIDs observes many leaks, as a hostile sender may send. Without Tracker.full it would take
// minutes.
func TestManyIDs(t *testing.T) {
	const sent = 30_000
	b := NewTracker(Config{})
	for i := range sent {
		b.Observe(flagged(i, i))
		if i%10_000 == 9_999 {
			b.Advance(epoch)
		}
	}
	if findings, processes := b.Size(); findings != defaultMaxFindings || processes != defaultMaxProcesses {
		t.Error(findings, processes)
	}
	if dropped := b.Dropped().Beyond; dropped != sent-defaultMaxFindings {
		t.Errorf("%d of %d points are counted as dropped", dropped, sent)
	}
	data, err := b.MarshalBinary()
	if err != nil || len(data) > 32<<20 {
		t.Errorf("a state of %d bytes: %v", len(data), err)
	}
}

func TestInvalidPoints(t *testing.T) {
	b := NewTracker(Config{})
	for _, value := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1} {
		p := flagged(1, 1)
		p.Value = value
		b.Observe(p)
	}
	for _, at := range []time.Time{{}, time.Unix(0, 0), time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC)} {
		p := flagged(1, 1)
		p.At = at
		b.Observe(p)
	}
	p := flagged(1, 1)
	p.Attributes = nil
	b.Observe(p)
	if changes := b.Advance(epoch); changes != nil || b.Dropped().Invalid != 8 {
		t.Error(changes, b.Dropped())
	}
}

func TestInvalidStates(t *testing.T) {
	b := NewTracker(Config{})
	b.Observe(flagged(1, 1))
	b.Advance(epoch)
	for _, state := range []string{
		"", "{", "[]", `{"version":4}`, `{"version":3,"more":1}`, `{"version":3,"services":[null]}`,
		`{"version":3,"services":[{},{}]}`, `{"version":3,"services":[{"processes":{"a":null}}]}`,
		`{"version":3,"services":[{"versions":[null]}]}`, `{"version":3,"services":[{"records":{"a":null}}]}`,
		`{"version":3,"services":[{"records":{"a":{"id":"b"}}}]}`, `{"version":3,"services":[{"records":{"a":{"id":"a","rows":{"b":null}}}}]}`,
		`{"version":3,"services":[{"records":{"a":{"id":"a","cost":{"b":null}}}}]}`,
	} {
		if err := b.UnmarshalBinary([]byte(state)); !errors.Is(err, ErrState) {
			t.Errorf("%s: %v", state, err)
		}
	}
	if findings, _ := b.Size(); findings != 1 {
		t.Error("an invalid state has changed the Tracker")
	}
}
