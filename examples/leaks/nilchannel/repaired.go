package nilchannel

// ServerRepaired is ServerLeaky without the leak.
type ServerRepaired struct {
	reloads  chan string
	settings func(path string)
	followed chan struct{}
}

// NewServerRepaired returns a server. Without reload its settings are final.
//
// Fix: what waits at the channel is started where the channel is made, and
// only there. (A nil channel is of use only as a case of a select that is to be
// switched off.)
func NewServerRepaired(reload bool, settings func(path string)) *ServerRepaired {
	s := &ServerRepaired{settings: settings}
	if reload {
		s.reloads, s.followed = make(chan string), make(chan struct{})
		go s.followRepaired()
	}
	return s
}

func (s *ServerRepaired) followRepaired() {
	defer close(s.followed)
	for path := range s.reloads {
		s.settings(path)
	}
}

// Reload has the server read its settings. It returns false if they are final.
func (s *ServerRepaired) Reload(path string) bool {
	if s.reloads == nil {
		return false
	}
	s.reloads <- path
	return true
}

// Close ends the server.
func (s *ServerRepaired) Close() {
	if s.reloads != nil {
		close(s.reloads)
		<-s.followed
	}
}
