package instrument

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/profile"
	"github.com/otel-goroutine/otel-goroutine/internal/proof"
)

// leakProfile collects the runtime's leak profile.
type leakProfile struct {
	every time.Duration // 0 means never
	last  time.Time
	proof *proof.Proof
}

func newLeakProfile(c config) leakProfile {
	return leakProfile{every: c.LeakProfile, proof: proof.New(c.MaxSignatures)}
}

// leakSample is the result of a leak profile. It is immutable.
type leakSample struct {
	at   time.Time
	rows []row
}

// maxLeakProfile is the most goroutines with which a leak profile is taken. With as many the world
// stops for 29 to 42 ms (Go 1.26.8, two cores).
const maxLeakProfile = 100_000

// due reports whether it is time for the next leak profile.
func (l *leakProfile) due() bool {
	return l.every > 0 && (l.last.IsZero() || time.Since(l.last) >= l.every)
}

// collect returns the goroutines that two consecutive leak profiles prove to be leaked, by
// signature.
func (l *leakProfile) collect() (*leakSample, error) {
	l.last = time.Now()
	if runtime.NumGoroutine() > maxLeakProfile {
		return nil, fmt.Errorf("no leak profile is taken with more than %d goroutines", maxLeakProfile)
	}
	s, err := takeAny("goroutineleak", profile.DecodeLeaks)
	switch {
	case errors.Is(err, errNoProfile):
		l.every = 0
		return nil, fmt.Errorf("%w; Go 1.27 has it, and Go 1.26 built with GOEXPERIMENT=goroutineleakprofile", err)
	case err != nil:
		return nil, err
	}
	return newLeakSample(l.proof.Observe(s), time.Now()), nil
}

func newLeakSample(proven []proof.Row, at time.Time) *leakSample {
	l := &leakSample{at: at}
	for _, p := range proven {
		attributes := otherSignature
		if !p.Other {
			attributes = signatureAttributes(&p.Signature)
		}
		l.rows = append(l.rows, newCount(attributes, p.Count))
	}
	return l
}
