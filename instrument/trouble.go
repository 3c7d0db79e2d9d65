package instrument

import (
	"fmt"

	"go.opentelemetry.io/otel"

	"github.com/otel-goroutine/otel-goroutine/internal/guard"
)

// trouble passes errors to OpenTelemetry's error handler, which logs them by default. An
// error that lasts is passed once.
type trouble struct{ latest string }

// report passes err on if it differs from the previous one. A nil error ends the trouble.
func (t *trouble) report(err error) {
	if err == nil {
		t.latest = ""
		return
	}
	if err.Error() == t.latest {
		return
	}
	t.latest = err.Error()
	// The handler may be the service's own. Its panic must not end the sampling.
	_ = guard.Call(func() error {
		otel.Handle(fmt.Errorf("instrument: %w", guard.WithStack(err)))
		return nil
	})
}
