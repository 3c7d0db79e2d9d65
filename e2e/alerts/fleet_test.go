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

// fleet has many healthy services with one process each.
type fleet struct {
	targets   []target
	processes []*process
}

func startFleet(t *testing.T, binary string) *fleet {
	t.Helper()
	f := &fleet{}
	for i := range fleetSize {
		service := target{fmt.Sprintf("healthy-%02d", i), loopback.FreeAddress(t)}
		f.targets = append(f.targets, service)
		f.processes = append(f.processes, startProcess(t, nil, binary, "-listen", service.address))
	}
	return f
}

// churn kills and restarts random services, then deploys a new release to all of them one by one, and
// continues to kill services until stop is called.
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
