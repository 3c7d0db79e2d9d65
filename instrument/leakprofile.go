package instrument

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/profile"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// leakProfile collects the runtime's own proof of leaks.
type leakProfile struct {
	every         time.Duration // 0 is never
	maxSignatures int
	last          time.Time
}

// leakSample is what a leak profile tells. It does not change any more.
type leakSample struct {
	at   time.Time
	rows []row
}

// minLeakProfile is the shortest time between two leak profiles. Each forces a
// collection of garbage, and a world stop that grows with the goroutines.
const minLeakProfile = 5 * time.Minute

// maxLeakProfile is the most goroutines with which a leak profile is taken. The
// world stopped for 29 to 42 ms with as many (Go 1.26.8, two cores).
const maxLeakProfile = 100_000

// due tells whether it is time for the next leak profile.
func (l *leakProfile) due() bool {
	return l.every > 0 && (l.last.IsZero() || time.Since(l.last) >= l.every)
}

// collect returns the goroutines that the runtime has proved to be leaked, by
// signature. If that could not be found out it returns nil.
func (l *leakProfile) collect() (*leakSample, error) {
	l.last = time.Now()
	if runtime.NumGoroutine() > maxLeakProfile {
		return nil, fmt.Errorf("no leak profile is taken of more than %d goroutines", maxLeakProfile)
	}
	s, err := takeAny("goroutineleak", profile.DecodeLeaks)
	switch {
	case errors.Is(err, errNoProfile):
		l.every = 0
		return nil, fmt.Errorf("%w; Go 1.27 has it, and Go 1.26 built with GOEXPERIMENT=goroutineleakprofile", err)
	case err != nil:
		return nil, err
	}
	return &leakSample{at: time.Now(), rows: l.rows(s)}, nil
}

// rows returns a row for each of the largest groups, and one for all others. That
// one is there even if there are none: it tells that no leak was found from that
// nobody looked.
func (l *leakProfile) rows(s *stack.Snapshot) []row {
	groups := slices.DeleteFunc(s.Groups, isMainParked)
	slices.SortFunc(groups, func(a, b stack.Group) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.ID, b.ID))
	})
	others := newRow(otherSignature, census.Numbers{Count: s.Stackless})
	var rows []row
	for _, g := range groups {
		if len(rows) == l.maxSignatures {
			others.count += int64(g.Count)
			continue
		}
		rows = append(rows, newRow(signatureSet(&g.Signature), census.Numbers{Count: g.Count}))
	}
	return append(rows, others)
}

// isMainParked tells whether a group is the main goroutine in select{}, where many
// services keep it. The runtime calls that a leak.
func isMainParked(g stack.Group) bool {
	return g.Entry == "main.main" && g.State == stack.StateSelectNoCases
}
