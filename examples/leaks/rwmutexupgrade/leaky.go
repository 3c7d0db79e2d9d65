// Package rwmutexupgrade shows an attempt to upgrade a read lock to a write lock.
package rwmutexupgrade

import "sync"

// CacheLeaky caches the results of load.
type CacheLeaky struct {
	mu     sync.RWMutex
	values map[string]string
	load   func(key string) string
}

// NewCacheLeaky returns an empty cache.
func NewCacheLeaky(load func(key string) string) *CacheLeaky {
	return &CacheLeaky{values: make(map[string]string), load: load}
}

// Get returns the value of a key, and loads it if necessary.
//
// Mistake: keep locks for writing while Get holds the read lock, so it waits for itself.
// A waiting writer blocks new readers, so all later calls wait too.
func (c *CacheLeaky) Get(key string) string {
	c.mu.RLock() // leaks here: later calls
	defer c.mu.RUnlock()
	if value, ok := c.values[key]; ok {
		return value
	}
	return c.keep(key, c.load(key))
}

func (c *CacheLeaky) keep(key, value string) string {
	c.mu.Lock() // leaks here: first call
	defer c.mu.Unlock()
	c.values[key] = value
	return value
}
