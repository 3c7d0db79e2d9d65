package rwmutexupgrade

import "sync"

// CacheRepaired is CacheLeaky without the leak.
type CacheRepaired struct {
	mu     sync.RWMutex
	values map[string]string
	load   func(key string) string
}

// NewCacheRepaired returns an empty cache.
func NewCacheRepaired(load func(key string) string) *CacheRepaired {
	return &CacheRepaired{values: make(map[string]string), load: load}
}

// Get returns the value of a key, and loads it if necessary.
//
// Fix: each lock is held by a small function that calls nothing that locks. No lock is
// held while the value is loaded.
func (c *CacheRepaired) Get(key string) string {
	if value, ok := c.find(key); ok {
		return value
	}
	return c.keep(key, c.load(key))
}

func (c *CacheRepaired) find(key string) (value string, ok bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	value, ok = c.values[key]
	return value, ok
}

func (c *CacheRepaired) keep(key, value string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.values[key] = value
	return value
}
