package healthy

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

func startNATS(t *testing.T) (string, []client) {
	t.Helper()
	listen, pprof, monitor := loopback.FreeAddress(t), loopback.FreeAddress(t), loopback.FreeAddress(t)
	program(t, "nats-server", "http://"+monitor+"/healthz", "--addr", "127.0.0.1", "--port", port(t, listen),
		"--profile", port(t, pprof), "--http_port", port(t, monitor), "--jetstream", "--store_dir", t.TempDir())
	makeStream(t, listen)
	connected := func(use func(context.Context, *nats.Conn) error) func(context.Context) error {
		return func(ctx context.Context) error {
			connection, err := nats.Connect("nats://" + listen)
			if err != nil {
				return err
			}
			defer connection.Close()
			return use(ctx, connection)
		}
	}
	return pprof, []client{
		{"subscriber", connected(subscribe)},
		{"publisher", connected(publish)},
		{"requester", connected(request)},
		{"consumer", connected(consume)},
	}
}

func port(t *testing.T, address string) string {
	t.Helper()
	_, number, err := net.SplitHostPort(address)
	require.NoError(t, err)
	return number
}

func makeStream(t *testing.T, listen string) {
	t.Helper()
	connection, err := nats.Connect("nats://" + listen)
	require.NoError(t, err)
	defer connection.Close()
	stream, err := connection.JetStream()
	require.NoError(t, err)
	_, err = stream.AddStream(&nats.StreamConfig{Name: "orders", Subjects: []string{"orders.*"}, MaxMsgs: 1000})
	require.NoError(t, err)
}

// subscribe subscribes, responds to requests, and unsubscribes.
func subscribe(ctx context.Context, c *nats.Conn) error {
	return repeat(ctx, time.Second, func() error {
		sub, err := c.QueueSubscribe("prices", "workers", func(m *nats.Msg) { _ = m.Respond([]byte("1")) })
		if err != nil {
			return err
		}
		wait(ctx, time.Second)
		return sub.Unsubscribe()
	})
}

func publish(ctx context.Context, c *nats.Conn) error {
	stream, err := c.JetStream()
	if err != nil {
		return err
	}
	return repeat(ctx, 200*time.Millisecond, func() error {
		_, err := stream.Publish("orders.new", make([]byte, 256))
		return err
	})
}

func request(ctx context.Context, c *nats.Conn) error {
	return repeat(ctx, 200*time.Millisecond, func() error {
		_, err := c.Request("prices", []byte("?"), time.Second)
		if errors.Is(err, nats.ErrNoResponders) || errors.Is(err, nats.ErrTimeout) {
			return nil // there is no subscriber at the moment
		}
		return err
	})
}

// consume polls a stream with its own consumer.
func consume(ctx context.Context, c *nats.Conn) error {
	stream, err := c.JetStream()
	if err != nil {
		return err
	}
	sub, err := stream.PullSubscribe("orders.*", "")
	if err != nil {
		return err
	}
	defer func() { _ = sub.Unsubscribe() }()
	return repeat(ctx, 100*time.Millisecond, func() error {
		_, err := sub.Fetch(10, nats.MaxWait(2*time.Second))
		if errors.Is(err, nats.ErrTimeout) {
			return nil // nothing new
		}
		return err
	})
}
