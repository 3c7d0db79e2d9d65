package history

import (
	"strconv"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

var (
	epoch = time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)
	shop  = finding.Service{Name: "shop"}
	order = finding.Place{State: "chan_send", Function: "shop/order.ask", File: "/src/order.go", Line: 88, Entry: "shop/order.ask"}
)

// pairs are attributes: keys and values.
type pairs []string

func (p pairs) get(key string) string {
	for i := 0; i+1 < len(p); i += 2 {
		if p[i] == key {
			return p[i+1]
		}
	}
	return ""
}

func signature(p finding.Place, more ...string) finding.Attributes {
	return pairs(append(more, telemetry.AttrSignature, "1", telemetry.AttrState, p.State, telemetry.AttrFunction, p.Function, telemetry.AttrFile, p.File,
		telemetry.AttrLine, strconv.Itoa(p.Line), telemetry.AttrEntry, p.Entry)).get
}

// observe adds the points of a scrape of an instance: the number of goroutines of order, the number
// of those that are aged, and the exits of aged ones.
func observe(h *History, instance string, at time.Time, count, aged, exits float64) {
	resource := pairs{"service.name", "shop", "service.instance.id", instance}.get
	// The points of one collection of the SDK have several times within a millisecond.
	for i, p := range [...]finding.Point{
		{Metric: telemetry.GoroutineCount, Value: count + 1},
		{Metric: telemetry.StackCount, Attributes: signature(order), Value: count},
		{Metric: telemetry.StackAgedCount, Attributes: signature(order, telemetry.AttrAgeMin, "600"), Value: aged},
		{Metric: telemetry.StackAgedExits, Attributes: signature(order, telemetry.AttrAgeMin, "600"), Value: exits},
	} {
		p.Resource, p.At = resource, at.Add(time.Duration(i)*10*time.Microsecond)
		h.Observe(p, at)
	}
}

// only returns the only service.
func only(t *testing.T, h *History) Service {
	t.Helper()
	all := h.Services()
	if len(all) != 1 {
		t.Fatalf("%d services", len(all))
	}
	return all[0]
}
