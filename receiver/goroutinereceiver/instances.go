package goroutinereceiver

import "sync"

// instances are the receivers that there are, by their configuration. The collector asks for
// one in each kind of pipeline, and they are one.
type instances struct {
	mu sync.Mutex
	of map[*Config]*goroutineReceiver
}

// get returns the receiver of a configuration, which is made if there is none.
func (i *instances) get(cfg *Config, create func() (*goroutineReceiver, error)) (*goroutineReceiver, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if r := i.of[cfg]; r != nil {
		return r, nil
	}
	r, err := create()
	if err != nil {
		return nil, err
	}
	r.forget = func() { i.remove(cfg) }
	i.of[cfg] = r
	return r, nil
}

func (i *instances) remove(cfg *Config) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.of, cfg)
}
