package finding

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
)

// Origin is a creator, which starts the goroutines of a finding, or a waker, which wakes their
// healthy siblings.
type Origin struct {
	// Function, File and Line are in the service's own code, or are the go statement if no such
	// line is known. They are empty if a timer or C starts the goroutines.
	Function string
	File     string
	Line     int
	// Share is its share of all starts, or of all wake-ups, in traces.
	Share float64

	// Own is set if the line of a creator is in the service's own code.
	Own bool
	// Launch is how a creator starts goroutines: "go", "timer" or "c". Wakers have none.
	Launch string
	// Statement is the go statement of a creator. It is often in a library.
	Statement Line
	// Call is the function that a waker calls at its line, empty if the line itself wakes.
	Call string
}

// Line is a line of code.
type Line struct {
	Function string `json:"function,omitempty"`
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
}

// SourceLine returns Function, File and Line.
func (o Origin) SourceLine() Line { return Line{o.Function, o.File, o.Line} }

// String returns the origin as a sentence names it:
//
//	github.com/acme/shop/order.(*Queue[github.com/acme/shop.Item]).put  ->  order.(*Queue[github.com/acme/shop.Item]).put
func (o Origin) String() string {
	switch o.Launch {
	case byTimer:
		return "a timer"
	case byC:
		return "C"
	}
	// The path of the package is omitted, but not those of type parameters.
	name, _, _ := strings.Cut(o.Function, "[")
	return o.Function[strings.LastIndexByte(name, '/')+1:]
}

// The values of goroutine.creator.type that have no line.
const (
	byTimer = "timer"
	byC     = "c"
)

// tally counts the starts or wake-ups of one origin.
type tally struct {
	Line
	Launch    string  `json:"launch,omitempty"`
	Statement Line    `json:"statement"`
	Call      string  `json:"call,omitempty"`
	Count     float64 `json:"count"`
}

// maxShownOrigins is the number of creators and wakers in a Finding, and maxOrigins in the state.
const (
	maxShownOrigins = 3
	maxOrigins      = 16
)

// observeOrigin adds an origin of the goroutines of a group or an entry. Lines move with the code, so
// the origins of a new version replace those of an earlier one.
func (s *service) observeOrigin(m metric, p Point, proc *process) {
	place := placeOf(p)
	for _, r := range s.Records {
		if !r.Groups[place.group()] || proc.Version < r.OriginsOf {
			continue
		}
		if proc.Version > r.OriginsOf && r.OriginsOf > 0 {
			r.Creators, r.CreatorsLeak, r.Wakers = nil, false, nil
		}
		r.OriginsOf = proc.Version
		switch m {
		case originCreations:
			r.observeCreator(p)
		case originWakeups:
			r.Wakers = addTally(r.Wakers, tally{Line: wakerKeys.line(p), Call: p.Attributes.get(keyWakerCall), Count: p.Value})
		case originTraced:
			if class := mistake.Class(p.Attributes.get(keyClass)); class.String() != "" {
				r.Class = class
			}
		}
	}
}

func (r *record) hasPlace(match func(Place) bool) bool {
	for _, place := range r.Places {
		if match(place) {
			return true
		}
	}
	return false
}

// observeCreator counts a creator. Creators of leaked goroutines replace those of healthy siblings,
// which are more frequent, and in a library may have other creators.
func (r *record) observeCreator(p Point) {
	leaked := p.Attributes.get(keyCaught) == leakedBirth
	switch {
	case r.CreatorsLeak && !leaked:
		return
	case leaked && !r.CreatorsLeak:
		r.Creators, r.CreatorsLeak = nil, true
	}
	r.Creators = addTally(r.Creators, tally{
		Launch: p.Attributes.get(keyCreatorType), Statement: creatorKeys.line(p), Line: ownKeys.line(p), Count: p.Value,
	})
}

// knowledge is how much is known of the creators of a finding.
type knowledge int

const (
	noCreators    knowledge = iota
	siblingsKnown           // creators of healthy siblings
	leakedKnown             // creators of leaked goroutines
)

func (r *record) knowledge() knowledge {
	switch {
	case len(r.Creators) == 0:
		return noCreators
	case r.CreatorsLeak:
		return leakedKnown
	}
	return siblingsKnown
}

// leakedBirth is the value of goroutine.origin.caught for creators of leaked goroutines.
const leakedBirth = "leaked_birth"

// line returns the line in the attributes of a point.
func (k lineKeys) line(p Point) Line {
	line, err := strconv.Atoi(p.Attributes.get(k.number))
	if err != nil || line < 0 {
		line = 0
	}
	return Line{p.Attributes.get(k.function), p.Attributes.get(k.file), line}
}

// isKnown reports whether a creator or waker is named.
func (t tally) isKnown() bool {
	return t.Count > 0 && (t.Function != "" || t.Statement.Function != "" || t.Launch == byTimer || t.Launch == byC)
}

// key identifies the origin.
func (t tally) key() string {
	return strings.Join([]string{
		t.Launch, t.Function, t.File, strconv.Itoa(t.Line.Line),
		t.Statement.Function, t.Statement.File, strconv.Itoa(t.Statement.Line), t.Call,
	}, "\x00")
}

// addTally adds an origin. Its count is the largest of any process.
func addTally(all map[string]tally, t tally) map[string]tally {
	if !t.isKnown() {
		return all
	}
	key := t.key()
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

// origins returns the most frequent origins.
func origins(all map[string]tally) []Origin {
	total := 0.0
	var found []Origin
	for _, key := range sorted(all) {
		t := all[key]
		total += t.Count
		own := t.Function != "" && t.Launch != ""
		if t.Function == "" {
			t.Line = t.Statement
		}
		found = append(found, Origin{
			Function: t.Function, File: t.File, Line: t.Line.Line, Share: t.Count,
			Own: own, Launch: t.Launch, Statement: t.Statement, Call: t.Call,
		})
	}
	slices.SortStableFunc(found, func(a, b Origin) int { return cmp.Compare(b.Share, a.Share) })
	found = found[:min(maxShownOrigins, len(found))]
	for i := range found {
		found[i].Share /= total
	}
	return found
}
