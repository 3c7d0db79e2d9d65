package origin

import (
	"errors"
	"io"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// Read reads a trace until it ends or the origins of all subjects are known. It returns the origins,
// also those found before an error. The Follower has the snapshot at the end; it is nil if there was
// an error.
func Read(trace io.Reader, of Subjects) (*exectrace.Follower, []Origin, error) {
	follower, err := exectrace.Follow(trace, of.groups())
	if err != nil {
		return nil, nil, err
	}
	entries := of.entries()
	var origins []Origin
	for !Known(origins) {
		err := follower.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, origins, err
		}
		origins = Conclude(of, []*exectrace.Origins{follower.Origins(entries)})
	}
	return follower, origins, nil
}

func (s Subjects) groups() (signatures []stack.Signature) {
	for _, g := range s.Groups {
		signatures = append(signatures, g.Signature)
	}
	return signatures
}

func (s Subjects) entries() (names []string) {
	for _, e := range s.Entries {
		names = append(names, e.Signature.Entry)
	}
	return names
}
