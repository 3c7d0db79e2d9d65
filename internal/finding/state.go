package finding

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// stateVersion changes with the fields of the state, and with their meaning.
const stateVersion = 3

// state is the state of a Book.
type state struct {
	Version  int        `json:"version"`
	Services []*service `json:"services"`
}

// ErrState is returned by UnmarshalBinary for data that is not a state.
var ErrState = errors.New("no state of findings")

// MarshalBinary returns the state of the Book.
func (b *Book) MarshalBinary() ([]byte, error) {
	kept := state{Version: stateVersion}
	for _, s := range b.services {
		kept.Services = append(kept.Services, s)
	}
	data, err := json.Marshal(kept)
	if err != nil {
		return nil, fmt.Errorf("keep findings: %w", err)
	}
	return data, nil
}

// UnmarshalBinary replaces the state of the Book. On error the Book is unchanged.
func (b *Book) UnmarshalBinary(data []byte) error {
	var kept state
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&kept); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	if kept.Version != stateVersion {
		return fmt.Errorf("%w: version %d, not %d", ErrState, kept.Version, stateVersion)
	}
	services := make(map[Service]*service, len(kept.Services))
	processes, records := 0, 0
	for _, s := range kept.Services {
		if s == nil || services[s.Service] != nil {
			return fmt.Errorf("%w: a service is missing or there twice", ErrState)
		}
		if err := s.check(); err != nil {
			return err
		}
		s.config = &b.config
		services[s.Service] = s
		processes += len(s.Processes)
		records += len(s.Records)
	}
	b.services, b.processes, b.records = services, processes, records
	return nil
}

// check returns an error if parts of a service are missing, and fills what may be absent.
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
