package profile

import (
	"fmt"
	"math"
	"slices"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// maxGroups is the most signatures that a snapshot may have. A signature takes 126 bytes
// of memory and as few as 10 of the profile, so without a limit a hostile profile would
// grow thirteenfold. The largest programs have some thousands of signatures.
const maxGroups = 50_000

// maxFramesPerByte is the most frames that a profile may have for each of its bytes, all
// stacks together. A frame takes at least a byte unless it is inlined into another; services
// have 0.3 to 0.8 frames a byte. Without a limit few bytes could cause much work: a
// location of many lines that many samples refer to.
const maxFramesPerByte = 2

// sampleSize is the assumed size of a sample, in bytes, when allocating the list of
// groups. Go's samples are larger: a stack of ten frames with two bytes each.
const sampleSize = 24

// groups merges stacks by signature.
type groups struct {
	list  []stack.Group
	index map[stack.ID]int
	// byPlace has the groups of known places, whose signatures need not be built and
	// hashed again.
	byPlace map[placeKey]int
	// maxLen is how many groups there can be.
	maxLen int

	sample sample
	// stack is the stack of the sample, leaf first.
	stack []lineRef
	// last is the stack of the previous sample, and lastGroup its index in list, or
	// runtimeGroup. In a service that labels each goroutine, consecutive samples have the
	// same stack.
	last      []uint64
	lastGroup int

	// total is the sum of all counts so far, stackless the sum over samples without a
	// stack.
	total, stackless int
	// framesLeft is how many more frames the profile may have.
	framesLeft int64
}

// placeKey identifies a signature by table indexes.
type placeKey struct {
	state  stack.State
	blamed lineRef
	entry  uint32 // function
	cut    bool
	fromC  bool
}

// maxRemembered is the most entries of byPlace, 200 KB. Services have some hundreds of
// places; those beyond the limit are only slower.
const maxRemembered = 1024

// runtimeGroup stands for the runtime's own goroutines, which are left out.
const runtimeGroup = -1

// reset prepares for the samples of a profile of the given size.
func (g *groups) reset(samples, size int) {
	if g.index == nil {
		g.index, g.byPlace = map[stack.ID]int{}, map[placeKey]int{}
	}
	g.maxLen = min(samples, maxGroups)
	g.list = emptied(g.list, min(g.maxLen, size/sampleSize))
	g.last = g.last[:0]
	g.total, g.stackless, g.framesLeft = 0, 0, maxFramesPerByte*int64(size)
}

// forget drops the groups but keeps the allocated memory.
func (g *groups) forget() {
	clear(g.list)
	clear(g.index)
	clear(g.byPlace)
	g.list = g.list[:0]
}

// snapshot returns the groups as a snapshot.
func (g *groups) snapshot() *stack.Snapshot {
	return &stack.Snapshot{Source: stack.SourceProfile, Groups: slices.Clone(g.list), Stackless: g.stackless}
}

// add adds a sample of the profile. A sample without a stack counts too: the runtime
// writes one for a goroutine that happens to run on another thread.
func (g *groups) add(b []byte, t *tables) error {
	if err := g.sample.read(b); err != nil || g.sample.count == 0 {
		return err
	}
	if g.total > math.MaxInt-g.sample.count {
		return malformed("counts add up to more than an int holds")
	}
	g.total += g.sample.count
	if len(g.sample.locations) == 0 {
		g.stackless += g.sample.count
		return nil
	}
	if !slices.Equal(g.sample.locations, g.last) {
		if err := g.locate(t); err != nil {
			return err
		}
	}
	if g.lastGroup != runtimeGroup {
		g.list[g.lastGroup].Count += g.sample.count
	}
	return nil
}

// locate sets last and lastGroup to the stack and group of the sample.
func (g *groups) locate(t *tables) error {
	if err := g.expand(t); err != nil {
		return err
	}
	g.last, g.lastGroup = append(g.last[:0], g.sample.locations...), runtimeGroup
	place, ok := stack.Locate(len(g.stack), func(i int) stack.Traits { return t.traits(g.stack[i]) }, stack.Unknown)
	if !ok {
		return nil
	}
	blamed, entry := g.stack[place.Blamed], g.stack[place.Entry]
	at := placeKey{place.State, blamed, entry.function, place.Cut, place.FromC}
	i, ok := g.byPlace[at]
	if !ok {
		var err error
		if i, err = g.groupOf(place.Signature(t.frame(blamed), t.frame(entry))); err != nil {
			return err
		}
		if len(g.byPlace) < maxRemembered {
			g.byPlace[at] = i
		}
	}
	g.lastGroup = i
	return nil
}

// groupOf returns the index in list of the group with a signature, which it adds if it is
// new.
func (g *groups) groupOf(signature stack.Signature) (int, error) {
	i, ok := g.index[signature.ID]
	if !ok {
		if i = len(g.list); i == maxGroups {
			return 0, fmt.Errorf("%w: more than %d signatures", ErrTooLarge, maxGroups)
		}
		g.index[signature.ID] = i
		g.push(stack.Group{Signature: signature})
	}
	return i, nil
}

// push appends a group to the list, which grows at most once.
func (g *groups) push(group stack.Group) {
	if len(g.list) == cap(g.list) {
		g.list = append(make([]stack.Group, 0, g.maxLen), g.list...)
	}
	g.list = append(g.list, group)
}

// expand sets stack to the stack of the sample.
func (g *groups) expand(t *tables) error {
	locations, lines, frames := t.locations, t.lines, g.stack[:0]
	for _, id := range g.sample.locations {
		i, ok := t.locationIDs.index(id)
		if !ok {
			return errNoLocation(id)
		}
		at := locations[i]
		if at.to == at.from+1 { // nearly always
			frames = append(frames, lines[at.from])
		} else {
			frames = append(frames, lines[at.from:at.to]...)
		}
		if len(frames) > maxFrames {
			return errTooDeep()
		}
	}
	g.stack = frames
	if g.framesLeft -= int64(len(frames)); g.framesLeft < 0 {
		return malformed("more frames than its bytes can account for")
	}
	return nil
}
