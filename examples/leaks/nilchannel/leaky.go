// Package nilchannel shows a channel that was never made.
package nilchannel

// ServerLeaky reads its settings anew when it is told to.
type ServerLeaky struct {
	reloads  chan string
	settings func(path string)
}

// NewServerLeaky returns a server. Without reload its settings are final.
//
// Mistake: without reload the channel stays nil, and to receive from a nil
// channel waits forever, whatever anybody does.
func NewServerLeaky(reload bool, settings func(path string)) *ServerLeaky {
	s := &ServerLeaky{settings: settings}
	if reload {
		s.reloads = make(chan string)
	}
	go s.followLeaky()
	return s
}

func (s *ServerLeaky) followLeaky() {
	for path := range s.reloads { // leaks here
		s.settings(path)
	}
}

// Reload has the server read its settings.
func (s *ServerLeaky) Reload(path string) { s.reloads <- path }

// Close ends the server.
func (s *ServerLeaky) Close() {
	if s.reloads != nil {
		close(s.reloads)
	}
}
