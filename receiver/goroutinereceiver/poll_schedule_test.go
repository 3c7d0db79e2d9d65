package goroutinereceiver

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.uber.org/zap"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/targetlist"
)

// startingSource fails until it is ready, and records the times of polls.
type startingSource struct {
	began   time.Time
	readyAt func(sinceStart time.Duration) bool
	polls   []time.Duration
}

func (*startingSource) kind() string { return "target_allocator" }

func (s *startingSource) documents(context.Context) iter.Seq2[document, error] {
	return func(yield func(document, error) bool) {
		at := time.Since(s.began)
		s.polls = append(s.polls, at)
		if !s.readyAt(at) {
			yield(document{}, errors.New("HTTP status 503 Service Unavailable"))
			return
		}
		yield(document{name: "cart", text: []byte("[]"), format: targetlist.JSON}, nil)
	}
}

// TestPollTimes polls sources for two minutes with an interval of 30 s.
func TestPollTimes(t *testing.T) {
	const s = time.Second
	for _, test := range []struct {
		name    string
		readyAt func(time.Duration) bool
		want    []time.Duration
	}{
		{"ready at once", func(time.Duration) bool { return true }, []time.Duration{0, 30 * s, 60 * s, 90 * s}},
		{"starting for 5 s", func(at time.Duration) bool { return at >= 5*s }, []time.Duration{0, 1 * s, 3 * s, 7 * s, 37 * s, 67 * s, 97 * s}},
		{"never ready", func(time.Duration) bool { return false }, []time.Duration{0, 1 * s, 3 * s, 7 * s, 15 * s, 31 * s, 61 * s, 91 * s}},
		{"failing after it was ready", func(at time.Duration) bool { return at == 0 }, []time.Duration{0, 30 * s, 60 * s, 90 * s}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				builder, err := metadata.NewTelemetryBuilder(componenttest.NewNopTelemetrySettings())
				require.NoError(t, err)
				source := &startingSource{began: time.Now(), readyAt: test.readyAt}
				d := discovery{
					logger: zap.NewNop(), builder: builder, fleet: newRecordedFleet().fleet, pool: newPool(), lists: make([]sourceList, 2),
					pollers: []*poller{newPoller(source, 30*s, nil, zap.NewNop())},
				}
				ctx, cancel := context.WithTimeout(t.Context(), 119*s)
				defer cancel()
				d.pollSource(ctx, 0)
				assert.Equal(t, test.want, source.polls)
			})
		})
	}
}
