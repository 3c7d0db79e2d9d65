package census

import (
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// TestPointsOfAnOrdinaryService counts the data points that a service of 40 groups sends in a
// day, with age bands and with one age: count, aged and exits of each row.
func TestPointsOfAnOrdinaryService(t *testing.T) {
	p, c := newSimulated(1, 4), New(10*time.Minute, 200)
	groups := 0
	lines := func(n int) (first int) {
		first = groups
		groups += n
		return first
	}
	// Pools, listeners, tickers: since the start.
	for first, i := lines(20), 0; i < 20; i++ {
		for range 1 + i {
			p.start(first + i)
		}
	}
	// Short-lived goroutines: number at a time and mean lifetime on each line.
	type coming struct {
		first, lines int
		population   int
		mean         time.Duration
	}
	comings := []coming{
		{lines(12), 12, 60, 30 * time.Second}, // requests in flight
		{lines(4), 4, 200, 3 * time.Minute},   // connections kept alive
		{lines(2), 2, 40, 30 * time.Minute},   // connections to a database
		{lines(1), 1, 300, 20 * time.Minute},  // sessions
		{lines(1), 1, 500, 2 * time.Hour},     // websockets
	}
	ends := map[uint64]time.Time{}
	banded, single, looks := 0, 0, 0
	for at := noon; at.Before(noon.Add(24 * time.Hour)); at = at.Add(time.Minute) {
		for id, end := range ends {
			if !at.Before(end) {
				delete(p.alive, id)
				delete(ends, id)
			}
		}
		for _, k := range comings {
			for range int(float64(k.population)*float64(time.Minute)/float64(k.mean) + p.random.Float64()) {
				id := p.start(k.first + p.random.IntN(k.lines))
				ends[id] = at.Add(time.Duration(p.random.ExpFloat64() * float64(k.mean)))
			}
		}
		r := c.Observe(p.snapshot(stack.SourceTrace), at)
		looks++
		for _, g := range r.Groups {
			banded += points(g.Numbers)
			single += 3
		}
		for _, e := range r.Entries {
			banded += points(e.Numbers)
			single += 3
		}
	}
	ratio := float64(banded) / float64(single)
	t.Logf("%d groups: %d points a look, %d with one age, ratio %.2f", groups, banded/looks, single/looks, ratio)
	if groups != 40 || ratio > 1.6 {
		t.Errorf("ratio %.2f, want at most 1.6 with 40 groups", ratio)
	}
}

// points returns the number of data points of a row.
func points(n Numbers) int {
	sent := 1
	for _, b := range n.Bands {
		if b.SendAged {
			sent++
		}
		if b.SendExits {
			sent++
		}
	}
	return sent
}
