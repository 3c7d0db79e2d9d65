package judge

import (
	"fmt"
	"math"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// Thresholds are the thresholds of the detector.
type Thresholds struct {
	// AgedAfter is the age from which on a goroutine is old.
	AgedAfter time.Duration
	// MinDuration is the shortest growth that counts, and MinLeaked the fewest goroutines.
	MinDuration time.Duration
	MinLeaked   int
	// MaxLifetime is the longest that a healthy goroutine lives.
	MaxLifetime time.Duration
}

// Defaults are the thresholds of receiver and processor.
func Defaults() Thresholds {
	return Thresholds{AgedAfter: 10 * time.Minute, MinDuration: 30 * time.Minute, MinLeaked: 10, MaxLifetime: 12 * time.Hour}
}

// Scaled returns the thresholds for a watch of the given duration.
//
// A leak of n goroutines in a time t is found if n t exceeds 2 ln(1000) MaxLifetime (see
// docs/decisions/growth.md). If MaxLifetime is t/2, that takes eight old goroutines, less than
// MinLeaked. So a shorter MaxLifetime would not find more, and a longer one would miss leaks that
// some goroutines leave. MinDuration leaves the detector several chances, since one leak in six
// seems to slow down at first (see internal/growth/slowing.go). In 1,000 simulated watches of 55 s
// each, 99.7% of leaks of one goroutine a second were found. False alarms were 0% for sessions of
// 10 s, 0.3% for sessions of 30 s that begin with the watch, and 16% for pools that fill with 40
// goroutines during it.
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

// String describes the thresholds and what follows from them.
func (t Thresholds) String() string {
	return fmt.Sprintf("a goroutine is old after %s; a leak is at least %d old goroutines that accumulate over %s and outlive %s. "+
		"Healthy goroutines that live longer than %s look leaked.",
		FormatDuration(t.AgedAfter), t.MinLeaked, FormatDuration(t.MinDuration), FormatDuration(t.MaxLifetime), FormatDuration(t.MaxLifetime))
}

// lnAlpha is ln(1/α) of severity probable.
var lnAlpha = math.Log(1000)

// Year is the longest duration that matters to users.
const Year = 365 * 24 * time.Hour

// TimeToProbable returns the time from the first leaked goroutine until a leak with this growth is
// probable, if no healthy goroutines are at the same line and none leaves. It is at most about Year.
func (t Thresholds) TimeToProbable(perHour float64) time.Duration {
	if perHour <= 0 {
		return Year
	}
	hours := max(
		t.MinDuration.Hours(),
		float64(t.MinLeaked)/perHour,
		math.Sqrt(2*lnAlpha*t.MaxLifetime.Hours()/perHour),
	)
	return t.AgedAfter + time.Duration(min(hours, Year.Hours())*float64(time.Hour))
}

// FormatDuration formats d in the largest unit of which it has at least two, or exactly one.
func FormatDuration(d time.Duration) string {
	for _, unit := range [...]struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}} {
		if d >= 2*unit.size || d == unit.size || d >= unit.size && unit.size == time.Second {
			return fmt.Sprintf("%g %s", math.Round(d.Seconds()/unit.size.Seconds()*10)/10, unit.name)
		}
	}
	if d == 0 {
		return "0 s"
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}
