package nilchannel

// ServerRepaired is ServerLeaky without the leak.
type ServerRepaired struct {
	reloads  chan string
	settings func(path string)
	followed chan struct{}
}

// NewServerRepaired returns a server. If reload is false, its settings are final.
//
// Fix: start the receiver only where the channel is made. (A nil channel is only useful
// to disable a case of a select.)
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

// Reload reads settings from a file. It returns false if the settings are final.
func (s *ServerRepaired) Reload(path string) bool {
	if s.reloads == nil {
		return false
	}
	s.reloads <- path
	return true
}

// Close stops the server.
func (s *ServerRepaired) Close() {
	if s.reloads != nil {
		close(s.reloads)
		<-s.followed
	}
}
