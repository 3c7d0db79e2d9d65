package selectwithoutdone

import "sync"

// subscription is the subscription of a client.
type subscription struct {
	events  chan string
	notices chan string
}

// Topic passes events to subscribers.
type Topic struct {
	mu          sync.Mutex
	subscribers map[*subscription]struct{}
}

// NewTopic returns a topic without subscribers.
func NewTopic() *Topic { return &Topic{subscribers: make(map[*subscription]struct{})} }

// Publish passes an event to all subscribers. Busy ones miss it.
func (t *Topic) Publish(event string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for s := range t.subscribers {
		select {
		case s.events <- event:
		default:
		}
	}
}

func (t *Topic) subscribe() *subscription {
	s := &subscription{events: make(chan string, 1), notices: make(chan string, 1)}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.subscribers[s] = struct{}{}
	return s
}

func (t *Topic) unsubscribe(s *subscription) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.subscribers, s)
}
