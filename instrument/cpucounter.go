package instrument

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// cpuCounter counts the CPU time that the process uses since newCPUCounter. It is safe for
// concurrent use.
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

// The attributes of CPU time, as the semantic conventions have them.
var (
	modeUser   = attributesOption(attribute.String(telemetry.AttrCPUMode, "user"))
	modeSystem = attributesOption(attribute.String(telemetry.AttrCPUMode, "system"))
)

// count counts what was used since the last call. Nothing is counted if c is nil, or
// where the platform does not tell.
func (c *cpuCounter) count(ctx context.Context) {
	if c == nil {
		return
	}
	if user, system, known := c.since(); known {
		c.seconds.Add(ctx, user.Seconds(), modeUser)
		c.seconds.Add(ctx, system.Seconds(), modeSystem)
	}
}

// since returns what was used since the last call.
func (c *cpuCounter) since() (user, system time.Duration, known bool) {
	user, system, known = cpuTime()
	c.mu.Lock()
	defer c.mu.Unlock()
	return risen(&c.lastUser, user), risen(&c.lastSystem, system), known
}

// risen returns by how much a time has risen since the last call. The kernel divides
// what it has counted into the two by estimate, so one of them may fall.
func risen(last *time.Duration, now time.Duration) time.Duration {
	by := max(0, now-*last)
	*last += by
	return by
}
