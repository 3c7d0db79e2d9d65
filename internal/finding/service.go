package finding

import "time"

// Service is what replicas and successive versions of a program have in common.
type Service struct {
	Namespace    string `json:"namespace,omitempty"`
	Name         string `json:"name,omitempty"`
	Environment  string `json:"environment,omitempty"`
	Cluster      string `json:"cluster,omitempty"`
	K8sNamespace string `json:"k8s_namespace,omitempty"`
}

func serviceOf(p Point) Service {
	s := Service{
		Namespace:    p.attribute(keyNamespace),
		Name:         p.attribute(keyServiceName),
		Environment:  p.attribute(keyEnvironment),
		Cluster:      p.attribute(keyCluster),
		K8sNamespace: p.attribute(keyK8sNamespace),
	}
	if s.Environment == "" {
		s.Environment = p.attribute(keyFormerEnvironment)
	}
	return s
}

// service is the state of a Service.
type service struct {
	Service     Service             `json:"service"`
	Processes   map[string]*process `json:"processes"`
	Versions    []*version          `json:"versions"`
	LastVersion int                 `json:"last_version"`
	Records     map[string]*record  `json:"records"`
	Instances   sample              `json:"instances"` // as counted by the detector
	Seen        time.Time           `json:"seen"`      // latest arrival of data
	Lost        time.Time           `json:"lost"`      // latest removal of a process
	Deaths      []death             `json:"deaths,omitempty"`
	config      *Config
	touched     bool
}

func newService(name Service, c *Config) *service {
	return &service{config: c, Service: name, Processes: make(map[string]*process), Records: make(map[string]*record)}
}

// removeProcess handles a process that is gone. The caller deletes it.
func (s *service) removeProcess(name string, p *process, now time.Time) {
	s.Lost = now
	s.noteDeath(name, p)
	for _, r := range s.Records {
		r.removeProcess(name, p, now)
	}
}

// advance updates the processes and findings of the service, and returns the changes.
func (s *service) advance(now time.Time) []Change {
	if s.touched {
		s.Seen, s.touched = now, false
	}
	for _, p := range s.Processes {
		p.advance(now)
		if p.Seen.Equal(now) {
			p.Version = s.versionOf(p.Build, p.First, now)
		}
	}
	for name, p := range s.Processes {
		if s.Seen.Sub(p.Seen) > p.quiet() || now.Sub(p.Seen) > s.config.MaxStale {
			s.removeProcess(name, p, now)
			delete(s.Processes, name)
		}
	}
	var changes []Change
	for id, r := range s.Records {
		r.measure(s)
		r.measureMemory(s)
		if change := r.advance(s, now); change != nil {
			changes = append(changes, *change)
		}
		if r.canDelete(now) {
			delete(s.Records, id)
		}
	}
	return changes
}

// instances returns the number of instances.
func (s *service) instances() int {
	return max(len(s.Processes), int(s.Instances.Value))
}
