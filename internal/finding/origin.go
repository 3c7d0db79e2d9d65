package finding

import (
	"cmp"
	"slices"
	"strconv"
)

// Origin is a line that starts the goroutines of a finding, of the service's own code if that is known, or one that wakes their healthy
// siblings.
type Origin struct {
	Function string
	File     string
	Line     int
	// Share is that of all that were seen.
	Share float64
}

// tally counts what was seen of one line.
type tally struct {
	Function string  `json:"function"`
	File     string  `json:"file"`
	Line     int     `json:"line"`
	Count    float64 `json:"count"`
}

// toldOrigins is how many creators and wakers are told of a finding, and maxOrigins how many
// are remembered.
const (
	toldOrigins = 3
	maxOrigins  = 16
)

// observeOrigin takes what a process has learned of where the goroutines of a group, or of an
// entry, come from.
func (s *service) observeOrigin(m metric, p Point) {
	place := placeOf(p)
	for _, r := range s.Records {
		if !r.Groups[place.group()] {
			continue
		}
		switch m {
		case originCreations:
			// The line of the service's own code says more than a go statement in a library.
			of := ownKeys
			if p.Attributes.get(of.function) == "" {
				of = creatorKeys
			}
			r.Creators = count(r.Creators, p, of)
		case originWakeups:
			r.Wakers = count(r.Wakers, p, wakerKeys)
		case originTraced:
			if class := Class(p.Attributes.get(keyClass)); class.String() != "" {
				r.Class = class
			}
		}
	}
}

func (r *record) has(is func(Place) bool) bool {
	for _, place := range r.Places {
		if is(place) {
			return true
		}
	}
	return false
}

// count takes the largest number that any process tells of a line.
func count(all map[string]tally, p Point, of lineKeys) map[string]tally {
	function := p.Attributes.get(of.function)
	if function == "" || p.Value <= 0 {
		return all
	}
	line, err := strconv.Atoi(p.Attributes.get(of.line))
	if err != nil {
		line = 0
	}
	t := tally{function, p.Attributes.get(of.file), line, p.Value}
	key := function + "\x00" + t.File + "\x00" + strconv.Itoa(line)
	before, known := all[key]
	if !known && len(all) >= maxOrigins {
		return all
	}
	if all == nil {
		all = make(map[string]tally)
	}
	t.Count = max(t.Count, before.Count)
	all[key] = t
	return all
}

// origins returns the most frequent lines.
func origins(all map[string]tally) []Origin {
	total := 0.0
	var found []Origin
	for _, key := range sorted(all) {
		t := all[key]
		total += t.Count
		found = append(found, Origin{t.Function, t.File, t.Line, t.Count})
	}
	slices.SortStableFunc(found, func(a, b Origin) int { return cmp.Compare(b.Share, a.Share) })
	found = found[:min(toldOrigins, len(found))]
	for i := range found {
		found[i].Share /= total
	}
	return found
}
