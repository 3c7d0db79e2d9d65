package instrument

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// cpuCounter counts the CPU time of the process since newCPUCounter. It is safe for concurrent use.
type cpuCounter struct {
	seconds metric.Float64Counter

	mu                   sync.Mutex
	lastUser, lastSystem time.Duration
}

func newCPUCounter(seconds metric.Float64Counter) *cpuCounter {
	c := &cpuCounter{seconds: seconds}
	c.lastUser, c.lastSystem, _ = cpuTime()
	return c
}

// Attributes of CPU time, from the semantic conventions.
var (
	modeUser   = attributesOption(attribute.String(telemetry.AttrCPUMode, "user"))
	modeSystem = attributesOption(attribute.String(telemetry.AttrCPUMode, "system"))
)

// count adds the CPU time since the last call. It does nothing if c is nil, or if the platform does
// not report CPU time.
func (c *cpuCounter) count(ctx context.Context) {
	if c == nil {
		return
	}
	if user, system, known := c.since(); known {
		c.seconds.Add(ctx, user.Seconds(), modeUser)
		c.seconds.Add(ctx, system.Seconds(), modeSystem)
	}
}

// since returns the CPU time since the last call.
func (c *cpuCounter) since() (user, system time.Duration, known bool) {
	user, system, known = cpuTime()
	c.mu.Lock()
	defer c.mu.Unlock()
	return increase(&c.lastUser, user), increase(&c.lastSystem, system), known
}

// increase returns the increase of a time since the last call. The kernel splits the total into user
// and system time by estimate, so either may decrease.
func increase(last *time.Duration, now time.Duration) time.Duration {
	by := max(0, now-*last)
	*last += by
	return by
}
