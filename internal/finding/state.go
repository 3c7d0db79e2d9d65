package finding

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// stateVersion changes with the fields of the state, and with their meaning.
const stateVersion = 3

// state is the state of a Tracker.
type state struct {
	Version  int        `json:"version"`
	Services []*service `json:"services"`
}

// ErrState is returned by UnmarshalBinary for data that is not a state.
var ErrState = errors.New("not a state of findings")

// MarshalBinary returns the state of the Tracker.
func (t *Tracker) MarshalBinary() ([]byte, error) {
	saved := state{Version: stateVersion}
	for _, s := range t.services {
		saved.Services = append(saved.Services, s)
	}
	data, err := json.Marshal(saved)
	if err != nil {
		return nil, fmt.Errorf("encode findings: %w", err)
	}
	return data, nil
}

// UnmarshalBinary replaces the state of the Tracker. On error the Tracker is unchanged.
func (t *Tracker) UnmarshalBinary(data []byte) error {
	var saved state
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&saved); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	if saved.Version != stateVersion {
		return fmt.Errorf("%w: version %d, not %d", ErrState, saved.Version, stateVersion)
	}
	services := make(map[Service]*service, len(saved.Services))
	processes, records := 0, 0
	for _, s := range saved.Services {
		if s == nil || services[s.Service] != nil {
			return fmt.Errorf("%w: a service is missing or duplicated", ErrState)
		}
		if err := s.check(); err != nil {
			return err
		}
		s.config = &t.config
		services[s.Service] = s
		processes += len(s.Processes)
		records += len(s.Records)
	}
	t.services, t.processes, t.records = services, processes, records
	return nil
}

// check returns an error if the service is incomplete. It creates missing maps.
func (s *service) check() error {
	for _, p := range s.Processes {
		if p == nil {
			return fmt.Errorf("%w: a process is missing", ErrState)
		}
		p.advanced, p.bornBefore = p.Last, p.Born
	}
	for _, v := range s.Versions {
		if v == nil {
			return fmt.Errorf("%w: a version is missing", ErrState)
		}
	}
	for id, r := range s.Records {
		if r == nil || r.ID != id {
			return fmt.Errorf("%w: a finding is missing", ErrState)
		}
		for _, w := range r.Rows {
			if w == nil {
				return fmt.Errorf("%w: a row is missing", ErrState)
			}
		}
		for _, o := range r.Old {
			if o == nil {
				return fmt.Errorf("%w: a count is missing", ErrState)
			}
		}
		for _, c := range r.Cost {
			if c == nil {
				return fmt.Errorf("%w: a measurement is missing", ErrState)
			}
		}
		r.Rows, r.Places, r.Groups = orEmpty(r.Rows), orEmpty(r.Places), orEmpty(r.Groups)
	}
	s.Processes, s.Records = orEmpty(s.Processes), orEmpty(s.Records)
	return nil
}

func orEmpty[V any](m map[string]V) map[string]V {
	if m == nil {
		return make(map[string]V)
	}
	return m
}
