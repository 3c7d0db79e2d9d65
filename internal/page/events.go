package page

import (
	"net/http"
	"sync"
	"time"
)

// streams are the open streams of server-sent events, one for each browser.
type streams struct {
	mu   sync.Mutex
	open int
	done chan struct{}
	once sync.Once
}

const (
	maxStreams = 64
	// minEventInterval is the minimum time between two events of a stream. People do not read
	// faster.
	minEventInterval = 3 * time.Second
	// heartbeatInterval is the time between two comments that keep a stream open.
	heartbeatInterval = 20 * time.Second
)

func newStreams() *streams { return &streams{done: make(chan struct{})} }

// close ends all streams. It is idempotent.
func (s *streams) close() { s.once.Do(func() { close(s.done) }) }

// acquire reserves a stream. It returns false if there are too many.
func (s *streams) acquire() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open >= maxStreams {
		return false
	}
	s.open++
	return true
}

func (s *streams) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
}

// serve sends an event for new data until the request is canceled or the streams are closed.
func (s *streams) serve(w http.ResponseWriter, r *http.Request, changed func() <-chan struct{}) {
	control := http.NewResponseController(w)
	if !s.acquire() {
		http.Error(w, "too many event streams", http.StatusServiceUnavailable)
		return
	}
	defer s.release()
	// The write timeout of the server would end the stream.
	if err := control.SetWriteDeadline(time.Time{}); err != nil {
		http.Error(w, "event streams are not supported: "+err.Error(), http.StatusNotImplemented)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	send := func(text string) bool {
		_, err := w.Write([]byte(text))
		return err == nil && control.Flush() == nil
	}
	heartbeat := time.NewTicker(heartbeatInterval)
	defer heartbeat.Stop()
	next := changed()
	for ok := send("retry: 5000\n\n"); ok; {
		select {
		case <-next:
			next = changed() // before the event is sent, so that no later change is missed
			ok = send("event: change\ndata:\n\n") && s.pause(r)
		case <-heartbeat.C:
			ok = send(": heartbeat\n\n")
		case <-r.Context().Done():
			return
		case <-s.done:
			return
		}
	}
}

// pause waits for minEventInterval. It returns false if the stream has ended.
func (s *streams) pause(r *http.Request) bool {
	timer := time.NewTimer(minEventInterval)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
	case <-s.done:
	}
	return false
}
