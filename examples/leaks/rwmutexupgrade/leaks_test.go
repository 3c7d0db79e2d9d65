package rwmutexupgrade

import (
	"strings"
	"testing"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/internal/leaktest"
)

func TestLeaky(t *testing.T) {
	cache := NewCacheLeaky(strings.ToUpper)
	leaktest.Leaks(t, "(*CacheLeaky).keep", "sync.RWMutex.Lock", func() { cache.Get("a") })
	leaktest.Leaks(t, "(*CacheLeaky).Get", "sync.RWMutex.RLock", func() { cache.Get("a") })
}

func TestRepaired(t *testing.T) {
	leaktest.Clean(t, func() {
		cache := NewCacheRepaired(strings.ToUpper)
		for range 2 {
			if value := cache.Get("a"); value != "A" {
				t.Errorf("value %q", value)
			}
		}
	})
}
