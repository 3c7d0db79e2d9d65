package healthy

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	etcd "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

func startEtcd(t *testing.T) (string, []client) {
	t.Helper()
	listen, peer := loopback.FreeAddress(t), loopback.FreeAddress(t)
	program(t, "etcd", "http://"+listen+"/health", "--enable-pprof", "--data-dir", t.TempDir(), "--log-level", "error",
		"--listen-client-urls", "http://"+listen, "--advertise-client-urls", "http://"+listen, "--listen-peer-urls", "http://"+peer,
		"--initial-advertise-peer-urls", "http://"+peer, "--initial-cluster", "default=http://"+peer, "--unsafe-no-fsync")
	connected := func(use func(context.Context, *etcd.Client) error) func(context.Context) error {
		return func(ctx context.Context) error {
			c, err := etcd.New(etcd.Config{Endpoints: []string{listen}, DialTimeout: 5 * time.Second, Logger: zap.NewNop()})
			if err != nil {
				return err
			}
			defer func() { _ = c.Close() }() // with open watches and leases
			return use(ctx, c)
		}
	}
	return listen, []client{
		{"watcher", connected(watchKeys)},
		{"writer", connected(write)},
		{"leaseholder", connected(hold)},
	}
}

func someKey() string { return fmt.Sprintf("shop/%d", rand.IntN(100)) }

// watchKeys watches several keys for a while, then others.
func watchKeys(ctx context.Context, c *etcd.Client) error {
	return repeat(ctx, 0, func() error {
		watching, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		for range 3 {
			c.Watch(watching, someKey())
		}
		for answer := range c.Watch(watching, "shop/", etcd.WithPrefix()) {
			if err := answer.Err(); err != nil {
				return err
			}
		}
		return nil
	})
}

func write(ctx context.Context, c *etcd.Client) error {
	return repeat(ctx, 200*time.Millisecond, func() error {
		key := someKey()
		_, err := c.Txn(ctx).If(etcd.Compare(etcd.Version(key), ">", 0)).Then(etcd.OpGet(key)).Else(etcd.OpPut(key, "0")).Commit()
		if err != nil {
			return err
		}
		_, err = c.Put(ctx, key, "1")
		return err
	})
}

// hold keeps leases alive, and revokes them.
func hold(ctx context.Context, c *etcd.Client) error {
	return repeat(ctx, 0, func() error {
		lease, err := c.Grant(ctx, 5)
		if err != nil {
			return err
		}
		kept, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		alive, err := c.KeepAlive(kept, lease.ID)
		if err != nil {
			return err
		}
		for range alive {
		}
		_, err = c.Revoke(ctx, lease.ID)
		return err
	})
}
