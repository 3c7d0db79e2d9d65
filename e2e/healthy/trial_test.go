package healthy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// moment is a load on a server while the command watches it.
type moment struct {
	name string
	args []string // of the command
	// during runs the load in addition to the residents, until ctx is done.
	during func(ctx context.Context, l *load)
	// limit means that this load cannot be told from a leak in such a short time. The result is logged, but
	// not checked.
	limit bool
	// counts means that the server serves no traces, like one built with Go before 1.23.
	counts bool
}

// moments are tested one after the other. Residents connect during the first, and stay until the end.
var moments = []moment{
	{name: "cold start", args: []string{"check", "--for", "60s"}, during: func(ctx context.Context, l *load) { l.churn(ctx, steady) }},
	{name: "warm, bursts", args: []string{"check", "--for", "2m"}, during: func(ctx context.Context, l *load) {
		l.running.Go(func() { l.bursts(ctx, 10*time.Second, 40) })
		l.churn(ctx, steady)
	}},
	{name: "load rises sixfold", args: []string{"check", "--for", "60s"}, during: func(ctx context.Context, l *load) { l.churn(ctx, rising) }},
	{name: "load rises, no traces", args: []string{"check", "--for", "60s"}, limit: true, counts: true, during: func(ctx context.Context, l *load) {
		l.churn(ctx, rising)
	}},
	{name: "load has ended", args: []string{"--for", "50s"}, during: func(ctx context.Context, _ *load) { <-ctx.Done() }},
	{name: "clients come and stay", args: []string{"check", "--for", "60s"}, limit: true, during: func(ctx context.Context, l *load) {
		l.running.Go(func() { l.staying(ctx, 700*time.Millisecond) })
		l.churn(ctx, steady)
	}},
}

// residents is the number of clients that stay during the whole test.
const residents = 20

// steady and rising are rates in clients per second.
func steady(time.Duration) float64       { return 2 }
func rising(since time.Duration) float64 { return 1 + 5*min(1, since.Minutes()) }

// TestHealthyServers runs the command on each server under several loads. It must find no leak.
func TestHealthyServers(t *testing.T) {
	command := buildCommand(t)
	lines := make([][]string, len(servers))
	t.Run("servers", func(t *testing.T) {
		for i, s := range servers {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				lines[i] = try(t, command, s)
			})
		}
	})
	t.Logf("\n| server | load | duration | goroutines | verdict |\n|---|---|---|---|---|\n%s", strings.Join(slices.Concat(lines...), "\n"))
}

// try runs the command on a server under all loads, and returns the rows of the table.
func try(t *testing.T, command string, s server) (rows []string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	pprof, clients := s.start(t)
	l := newLoad(t, clients)
	t.Cleanup(cancel) // runs before the cleanup of load, which waits for the clients
	l.running.Go(func() { l.residents(ctx, residents) })
	for _, m := range moments {
		during, end := context.WithCancel(ctx)
		l.running.Go(func() { m.during(during, l) })
		at := pprof
		if m.counts {
			at = withoutTraces(t, pprof)
		}
		got := runCommand(t, command, at, m.args...)
		end()
		t.Logf("%s:\n%s%s", m.name, got.stderr, got.details())
		if !m.limit {
			assert.Empty(t, got.Findings, "%s, %s: a healthy group is reported as a leak", s.name, m.name)
		}
		rows = append(rows, fmt.Sprintf("| %s %s | %s | %s | %d | %s |", s.name, s.version(t), m.name, m.args[len(m.args)-1], got.goroutines(), got.verdict()))
	}
	cancel()
	l.running.Wait()
	for _, c := range clients {
		assert.NotZero(t, l.worked[c.name], "no %s succeeded: %v", c.name, l.failed[c.name])
	}
	return rows
}
