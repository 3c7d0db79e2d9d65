package judge

import (
	"fmt"
	"math"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// Thresholds are what the detector goes by.
type Thresholds struct {
	// AgedAfter is the age from which on a goroutine counts as old.
	AgedAfter time.Duration
	// MinDuration is the shortest time over which growth counts, and MinLeaked the least
	// growth.
	MinDuration time.Duration
	MinLeaked   int
	// MaxLifetime is the longest that a healthy goroutine lives.
	MaxLifetime time.Duration
}

// Defaults are the thresholds of receiver and processor.
func Defaults() Thresholds {
	return Thresholds{AgedAfter: 10 * time.Minute, MinDuration: 30 * time.Minute, MinLeaked: 10, MaxLifetime: 12 * time.Hour}
}

// Scaled returns the thresholds for a process that is watched for so long.
//
// A leak of n goroutines in a time t is found if n t is above 2 ln(1000) MaxLifetime (see
// docs/decisions/growth.md). With half of t as MaxLifetime that takes eight of those that had
// the time to become old, less than MinLeaked: a shorter MaxLifetime finds no more, and with a
// longer one leaks that some leave are missed. MinDuration is as short as leaves the detector
// more than one chance: by chance one leak of six seems to slow down at first (see
// internal/growth/slowing.go). Of 1,000 simulated watches of 55 s each, 99.7% of
// leaks of one a second were found; accused were no sessions of 10 s, 0.3% of sessions of 30 s
// that had just begun, and 16% of pools that fill with 40 goroutines meanwhile.
func Scaled(watch time.Duration) Thresholds {
	return Thresholds{
		AgedAfter:   max(watch/12, time.Millisecond),
		MinDuration: max(watch/10, time.Millisecond),
		MinLeaked:   Defaults().MinLeaked,
		MaxLifetime: max(watch/2, time.Millisecond),
	}
}

func (t Thresholds) rules() *growth.Rules {
	return &growth.Rules{MinDuration: t.MinDuration, MinLeaked: float64(t.MinLeaked), MaxLifetime: t.MaxLifetime}
}

// String tells the thresholds, and what follows from them.
func (t Thresholds) String() string {
	return fmt.Sprintf("a goroutine is old after %s; a leak is %d old ones or more that keep coming for %s and outlive %s. "+
		"A healthy goroutine that lives longer than %s looks leaked.",
		Span(t.AgedAfter), t.MinLeaked, Span(t.MinDuration), Span(t.MaxLifetime), Span(t.MaxLifetime))
}

// lnAlpha is ln(1/α) of severity probable.
var lnAlpha = math.Log(1000)

// Longest is beyond every time that anybody waits for.
const Longest = 365 * 24 * time.Hour

// Until returns how long it takes from the first leaked goroutine until a leak of this pace is
// probable, if it stands alone and none leaves.
func (t Thresholds) Until(perHour float64) time.Duration {
	if perHour <= 0 {
		return Longest
	}
	hours := max(
		t.MinDuration.Hours(),
		float64(t.MinLeaked)/perHour,
		math.Sqrt(2*lnAlpha*t.MaxLifetime.Hours()/perHour),
	)
	return t.AgedAfter + time.Duration(min(hours, Longest.Hours())*float64(time.Hour))
}

// Span returns a time in the largest unit that it has two of, or one and a half.
func Span(d time.Duration) string {
	for _, unit := range [...]struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}} {
		if d >= 2*unit.size || d == unit.size || d >= unit.size && unit.size == time.Second {
			return fmt.Sprintf("%g %s", math.Round(d.Seconds()/unit.size.Seconds()*10)/10, unit.name)
		}
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}
