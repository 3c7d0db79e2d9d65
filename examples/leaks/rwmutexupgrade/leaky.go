// Package rwmutexupgrade shows a lock for reading that is to become one for
// writing.
package rwmutexupgrade

import "sync"

// CacheLeaky keeps what load returns.
type CacheLeaky struct {
	mu     sync.RWMutex
	values map[string]string
	load   func(key string) string
}

// NewCacheLeaky returns an empty cache.
func NewCacheLeaky(load func(key string) string) *CacheLeaky {
	return &CacheLeaky{values: make(map[string]string), load: load}
}

// Get returns the value of a key, and loads it if need be.
//
// Mistake: keep wants the lock for writing, and Get holds it for reading.
// It waits for itself. Since a writer that waits keeps new readers out, so does
// everybody who comes after it.
func (c *CacheLeaky) Get(key string) string {
	c.mu.RLock() // leaks here: all others
	defer c.mu.RUnlock()
	if value, ok := c.values[key]; ok {
		return value
	}
	return c.keep(key, c.load(key))
}

func (c *CacheLeaky) keep(key, value string) string {
	c.mu.Lock() // leaks here: whoever came first
	defer c.mu.Unlock()
	c.values[key] = value
	return value
}
