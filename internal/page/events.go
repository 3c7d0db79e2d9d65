package page

import (
	"net/http"
	"sync"
	"time"
)

// streams are the browsers that are told when something comes.
type streams struct {
	mu   sync.Mutex
	open int
	done chan struct{}
	once sync.Once
}

// The most streams, and how often each is told: people do not read faster.
const (
	maxStreams   = 64
	tellInterval = 3 * time.Second
	beatInterval = 20 * time.Second
)

func newStreams() *streams { return &streams{done: make(chan struct{})} }

// close ends all streams.
func (s *streams) close() { s.once.Do(func() { close(s.done) }) }

func (s *streams) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open >= maxStreams {
		return false
	}
	s.open++
	return true
}

func (s *streams) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
}

// serve tells a browser when something comes, until one of both ends.
func (s *streams) serve(w http.ResponseWriter, r *http.Request, changed func() <-chan struct{}) {
	control := http.NewResponseController(w)
	if !s.enter() {
		http.Error(w, "too many browsers watch", http.StatusServiceUnavailable)
		return
	}
	defer s.leave()
	// A server's write timeout would end the stream.
	if err := control.SetWriteDeadline(time.Time{}); err != nil {
		http.Error(w, "no events here: "+err.Error(), http.StatusNotImplemented)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	say := func(text string) bool {
		_, err := w.Write([]byte(text))
		return err == nil && control.Flush() == nil
	}
	beat := time.NewTicker(beatInterval)
	defer beat.Stop()
	next := changed()
	for ok := say("retry: 5000\n\n"); ok; {
		select {
		case <-next:
			next = changed() // before it is told, so that nothing is missed meanwhile
			ok = say("event: change\ndata:\n\n") && s.pause(r)
		case <-beat.C:
			ok = say(": here\n\n")
		case <-r.Context().Done():
			return
		case <-s.done:
			return
		}
	}
}

// pause waits until a browser may be told again, and reports whether it is still there.
func (s *streams) pause(r *http.Request) bool {
	timer := time.NewTimer(tellInterval)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
	case <-s.done:
	}
	return false
}
