package alerts

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

const fleetSize = 20

// fleet is many healthy services, a process each.
type fleet struct {
	targets   []target
	processes []*process
}

func startFleet(t *testing.T, service string) *fleet {
	t.Helper()
	f := &fleet{}
	for i := range fleetSize {
		one := target{fmt.Sprintf("healthy-%02d", i), loopback.FreeAddress(t)}
		f.targets = append(f.targets, one)
		f.processes = append(f.processes, startProcess(t, nil, service, "-listen", one.address))
	}
	return f
}

// churn crashes one service after another, then deploys a new release to all of them,
// one by one, and goes on crashing until it is stopped.
func (f *fleet) churn(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.restartAll(ctx) }()
	return func() {
		cancel()
		require.NoError(t, <-ended)
	}
}

func (f *fleet) restartAll(ctx context.Context) error {
	const crashes = 8 // before the deployment
	next := time.NewTicker(1500 * time.Millisecond)
	defer next.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return nil
		case <-next.C:
		}
		signal, p := syscall.SIGKILL, f.processes[rand.IntN(fleetSize)]
		if deployed := i - crashes; deployed >= 0 && deployed < fleetSize {
			signal, p = syscall.SIGTERM, f.processes[deployed]
			p.args = append(slices.Clip(p.args), "-release", "2")
		}
		if err := p.restart(signal); err != nil {
			return err
		}
	}
}
