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

// leakProfiler collects the leak profiles of one target, in addition to its scrapes. It is not
// safe for concurrent use.
type leakProfiler struct {
	LeakProfileConfig
	fetcher       *fetcher
	request       *pprofRequest
	maxSignatures int
	logger        func() *zap.Logger

	proof       *proof.Proof
	lastAttempt time.Time
	proven      []proof.Row
	provenAt    time.Time
	lastProblem string // as logged
}

// newLeakProfiler returns nil if leak profiles are disabled.
func newLeakProfiler(deps *targetDeps, fetcher *fetcher, logger func() *zap.Logger) *leakProfiler {
	if !deps.cfg.LeakProfile.Enabled {
		return nil
	}
	return &leakProfiler{
		LeakProfileConfig: deps.cfg.LeakProfile,
		fetcher:           fetcher,
		request:           &deps.requests.leaks,
		maxSignatures:     deps.cfg.MaxSignatures,
		logger:            logger,
		proof:             proof.New(deps.cfg.MaxSignatures),
	}
}

// due reports whether the next leak profile is due.
func (l *leakProfiler) due() bool {
	return l.lastAttempt.IsZero() || time.Since(l.lastAttempt) >= l.Interval
}

// reset prepares l for a new process.
func (l *leakProfiler) reset() {
	l.proof, l.proven = proof.New(l.maxSignatures), nil
}

// collect takes a leak profile of a process with this number of goroutines. An error does not fail
// the scrape: the previous proof remains valid for a while.
func (l *leakProfiler) collect(ctx context.Context, goroutines int) (newConnection bool, err error) {
	l.lastAttempt = time.Now()
	if goroutines > l.MaxGoroutines {
		return false, fmt.Errorf("%w: %d", errTooMany, goroutines)
	}
	s, newConnection, err := l.fetcher.fetch(ctx, l.request)
	var status *statusError
	switch {
	case errors.As(err, &status) && status.code == http.StatusNotFound:
		return newConnection, errNoLeakProfile
	case err != nil:
		return newConnection, wrap("leak profile", err)
	}
	l.proven, l.provenAt = l.proof.Observe(s), time.Now()
	return newConnection, nil
}

var (
	errNoLeakProfile = errors.New("the target has no leak profile: it needs Go 1.27, or Go 1.26 with GOEXPERIMENT=goroutineleakprofile")
	errTooMany       = errors.New(`the target has more goroutines than "leak_profile::max_goroutines"`)
)

// logOutcome logs the outcome of a collection if it differs from the previous one.
func (l *leakProfiler) logOutcome(err error) {
	var problem string
	if err != nil {
		problem = leakProblem(err)
	}
	switch {
	case problem == l.lastProblem:
	case err != nil:
		l.logger().Warn("Failed to collect a leak profile", zap.Error(err))
	default:
		l.logger().Info("Leak profiles are collected again")
	}
	l.lastProblem = problem
}

// leakProblem returns a short description of err, without details that differ between attempts.
func leakProblem(err error) string {
	for _, known := range []error{errNoLeakProfile, errTooMany} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return errorType(err).String()
}

// currentProof returns the latest proof, or nil if it is too old.
func (l *leakProfiler) currentProof() []proof.Row {
	if time.Since(l.provenAt) > l.Interval+min(graceIntervals*l.Interval, maxGrace) {
		return nil
	}
	return l.proven
}

// A proof stays valid for a grace period after the next leak profile was due: some intervals, or
// at most the time for which a target may be slow.
const (
	graceIntervals = 2
	maxGrace       = 10 * time.Minute
)
