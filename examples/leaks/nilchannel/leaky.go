// Package nilchannel shows a channel that was never made.
package nilchannel

// ServerLeaky is a server with settings that can be reloaded.
type ServerLeaky struct {
	reloads  chan string
	settings func(path string)
}

// NewServerLeaky returns a server. If reload is false, its settings are final.
//
// Mistake: if reload is false, the channel remains nil, and receiving from a nil channel
// blocks forever.
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

// Reload reads settings from a file.
func (s *ServerLeaky) Reload(path string) { s.reloads <- path }

// Close stops the server.
func (s *ServerLeaky) Close() {
	if s.reloads != nil {
		close(s.reloads)
	}
}
