package selectnocases

import "sync"

// Feed calls its listeners with news.
type Feed struct {
	mu        sync.Mutex
	listeners map[*func(string)]struct{}
}

// NewFeed returns a feed without listeners.
func NewFeed() *Feed { return &Feed{listeners: make(map[*func(string)]struct{})} }

// Listen adds a listener, until remove is called.
func (f *Feed) Listen(listener func(string)) (remove func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.listeners[&listener] = struct{}{}
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.listeners, &listener)
	}
}

// Publish calls all listeners.
func (f *Feed) Publish(news string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for listener := range f.listeners {
		(*listener)(news)
	}
}
