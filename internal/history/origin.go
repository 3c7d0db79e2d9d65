package history

import (
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// Origin is the origin of the goroutines of a group, with complete stacks, as in a log record of the
// event goroutine.origin.
type Origin struct {
	Place finding.Place
	// Caught is the value of goroutine.origin.caught: whether the start of a leaked goroutine
	// was seen.
	Caught string
	// Text is the body of the record, a sentence.
	Text string
	// Stacks are the stacks of creators and wakers, in the format of ReadStacks.
	Stacks string
	At     time.Time
	seen   time.Time
}

// originKey identifies an origin. It includes Caught, so that a later guess does not replace a start
// that was seen.
type originKey struct{ group, caught string }

// The maximum lengths of texts, in bytes.
const (
	maxStacks = 16 << 10
	maxText   = 1 << 10
)

// ObserveOrigin adds an origin that arrived at now. It replaces an earlier one of the same group
// and the same value of Caught.
func (h *History) ObserveOrigin(service finding.Service, o Origin, now time.Time) {
	if o.At.After(now.Add(maxAhead)) {
		h.dropped.Invalid++
		return
	}
	s := h.service(service)
	if s == nil {
		h.dropped.Beyond++
		return
	}
	o.Place = clone(o.Place)
	key := originKey{o.Place.Group(), strings.Clone(finding.Clean(o.Caught))}
	before := s.origins[key]
	if before != nil && o.At.Before(before.At) {
		return
	}
	if before == nil {
		if h.origins >= h.config.MaxOrigins {
			h.dropped.Beyond++
			return
		}
		h.origins++
	}
	o.Caught, o.seen = key.caught, now
	o.Text = bounded(o.Text, maxText)
	o.Stacks = bounded(o.Stacks, maxStacks)
	s.origins[key] = &o
	if s.last.Before(o.At) {
		s.last = o.At
	}
}

// bounded returns a copy of a text without control characters, truncated to maxLength bytes, at the
// end of a line if possible.
func bounded(text string, maxLength int) string {
	if len(text) > maxLength {
		text = text[:maxLength]
		if end := strings.LastIndexByte(text, '\n'); end > 0 {
			text = text[:end+1]
		}
	}
	return strings.Clone(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "")))
}

func (h *History) sweepOrigins(s *service, now time.Time) {
	for key, o := range s.origins {
		if now.Sub(o.seen) > originRetention {
			delete(s.origins, key)
			h.origins--
		}
	}
}

// originRetention is how long an origin is stored. It is sent only once, and valid for a version.
const originRetention = 7 * 24 * time.Hour
