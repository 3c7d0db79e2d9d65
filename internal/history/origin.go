package history

import (
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// Origin is where the goroutines of a group come from, with complete stacks, as a log
// record of the event goroutine.origin reports it.
type Origin struct {
	Place finding.Place
	// Caught is whether the start of a leaked goroutine was seen, as its attribute says.
	Caught string
	// Text is the sentence of the record.
	Text string
	// Stacks are those of creators and wakers, as Go writes stacks, each after a line that
	// says whose it is.
	Stacks string
	At     time.Time
	seen   time.Time
}

// originKey is the group, and what was caught: a start that was seen is worth more than a
// later guess.
type originKey struct{ group, caught string }

// Maximum length of a text, in bytes.
const (
	maxStacks = 16 << 10
	maxText   = 1 << 10
)

// ObserveOrigin adds an origin that arrived at now. It replaces an earlier one of the same group
// and the same value of Caught.
func (h *History) ObserveOrigin(of finding.Service, o Origin, now time.Time) {
	if o.At.After(now.Add(ahead)) {
		h.dropped.Invalid++
		return
	}
	s := h.service(of)
	if s == nil {
		h.dropped.Beyond++
		return
	}
	o.Place = cloned(o.Place)
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

// bounded returns a text that is valid and short, at the end of a line if it has to be cut.
func bounded(text string, most int) string {
	if len(text) > most {
		text = text[:most]
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
		if now.Sub(o.seen) > originKept {
			delete(s.origins, key)
			h.origins--
		}
	}
}

// originKept is how long an origin is stored: it is reported once, and is valid for a version.
const originKept = 7 * 24 * time.Hour
