package goroutinereceiver

import "sync"

// instances are the existing receivers by configuration. The collector creates a receiver for each
// kind of pipeline; those with one configuration share an instance.
type instances struct {
	mu       sync.Mutex
	byConfig map[*Config]*goroutineReceiver
}

// get returns the receiver of a configuration, creating it if it does not exist.
func (i *instances) get(cfg *Config, create func() (*goroutineReceiver, error)) (*goroutineReceiver, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if r := i.byConfig[cfg]; r != nil {
		return r, nil
	}
	r, err := create()
	if err != nil {
		return nil, err
	}
	r.unregister = func() { i.remove(cfg) }
	i.byConfig[cfg] = r
	return r, nil
}

func (i *instances) remove(cfg *Config) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.byConfig, cfg)
}
