package goroutinereceiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/otel-goroutine/otel-goroutine/internal/proof"
)

// leakProfiler collects the leak profiles of one target, beside its scrapes. It is
// not safe for concurrent use.
type leakProfiler struct {
	LeakProfileConfig
	fetcher       *fetcher
	profiles      *want
	maxSignatures int
	logger        func() *zap.Logger

	proof   *proof.Proof
	asked   time.Time // for the latest
	proven  []proof.Row
	at      time.Time // of proven
	trouble string    // that was logged last
}

// newLeakProfiler returns nil if no leak profiles are wanted.
func newLeakProfiler(k *kit, fetcher *fetcher, logger func() *zap.Logger) *leakProfiler {
	if !k.cfg.LeakProfile.Enabled {
		return nil
	}
	return &leakProfiler{
		LeakProfileConfig: k.cfg.LeakProfile,
		fetcher:           fetcher,
		profiles:          &k.wants.leaks,
		maxSignatures:     k.cfg.MaxSignatures,
		logger:            logger,
		proof:             proof.New(k.cfg.MaxSignatures),
	}
}

// due tells whether it is time for the next leak profile.
func (l *leakProfiler) due() bool {
	return l.asked.IsZero() || time.Since(l.asked) >= l.Interval
}

// restart forgets a process that is gone.
func (l *leakProfiler) restart() {
	l.proof, l.proven = proof.New(l.maxSignatures), nil
}

// collect takes the next leak profile of a process that has so many goroutines. That
// it cannot be had fails no scrape: what was proved before holds until it is stale.
func (l *leakProfiler) collect(ctx context.Context, goroutines int) (newConnection bool, err error) {
	l.asked = time.Now()
	if goroutines > l.MaxGoroutines {
		return false, fmt.Errorf("%w: %d", errTooMany, goroutines)
	}
	s, newConnection, err := l.fetcher.fetch(ctx, l.profiles)
	var status *statusError
	switch {
	case errors.As(err, &status) && status.code == http.StatusNotFound:
		return newConnection, errNoLeakProfile
	case err != nil:
		return newConnection, wrap("leak profile", err)
	}
	l.proven, l.at = l.proof.Observe(s), time.Now()
	return newConnection, nil
}

var (
	errNoLeakProfile = errors.New("the target has no leak profile: Go 1.27 has it, and Go 1.26 built with GOEXPERIMENT=goroutineleakprofile")
	errTooMany       = errors.New(`the target has more goroutines than "leak_profile::max_goroutines"`)
)

// note logs how the collection came out, once for as long as it comes out the same.
func (l *leakProfiler) note(err error) {
	var trouble string
	if err != nil {
		trouble = leakTrouble(err)
	}
	switch {
	case trouble == l.trouble:
	case err != nil:
		l.logger().Warn("No leak profile can be had", zap.Error(err))
	default:
		l.logger().Info("A leak profile can be had again")
	}
	l.trouble = trouble
}

// leakTrouble is what is wrong in short, without what differs from one time to the
// next.
func leakTrouble(err error) string {
	for _, known := range []error{errNoLeakProfile, errTooMany} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return errorType(err).String()
}

// fresh returns what is proved, unless it is too old.
func (l *leakProfiler) fresh() []proof.Row {
	if time.Since(l.at) > l.Interval+min(overdue*l.Interval, maxOverdue) {
		return nil
	}
	return l.proven
}

// How long what was proved last stands in for what is overdue: some intervals, or
// where they are long, a time in which a target may be slow.
const (
	overdue    = 2
	maxOverdue = 10 * time.Minute
)
