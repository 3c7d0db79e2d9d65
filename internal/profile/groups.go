package profile

import (
	"fmt"
	"math"
	"slices"
	"unsafe"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// maxGroups is the most signatures that a snapshot may have. Each takes 126
// bytes and can be had for 10 in a profile, so without a limit a hostile one
// would grow thirteenfold. A signature is a line in which goroutines of one entry
// wait; the largest programs have some thousands of such lines.
const maxGroups = 50_000

// maxFramesPerByte is the most frames that a profile may have for each of its
// bytes, all stacks together. A frame takes a byte at least, unless it was inlined
// into another; in services it is 0.3 to 0.8. Above 2, few bytes would buy much
// work: a location of many lines, referred to again and again.
const maxFramesPerByte = 2

// sampleSize is the size, in bytes, of the smallest samples for each of which
// there is room for a group from the start. Go's are larger: a stack of ten
// frames, with two bytes for each.
const sampleSize = 24

// groups merges stacks by signature.
type groups struct {
	list  []stack.Group
	index map[stack.ID]int
	// placed knows the groups of places that were seen before, which saves
	// making and hashing their signatures again.
	placed map[placed]int
	// most is how many groups there can be.
	most int

	sample sample
	// stack is the lines that the sample's goroutines are at, leaf first.
	stack []line
	// last is the stack of the sample before, and lastGroup its group in list,
	// or runtimesOwn. A service that labels its goroutines one by one has the
	// same stack in sample after sample.
	last      []uint64
	lastGroup int

	// total is the sum of all counts so far, stackless that of the samples
	// without a stack.
	total, stackless int
	// left is how many more frames the profile may have.
	left int64
}

// placed is what a signature is made of, in terms of the tables.
type placed struct {
	state  stack.State
	blamed line
	entry  uint32 // function
	cut    bool
	fromC  bool
}

// maxPlaced is the most places that are remembered, 200 KB of them. Services have
// some hundreds; what has more is read all the same, more slowly.
const maxPlaced = 1024

// runtimesOwn is the group of the runtime's own goroutines, which is left out.
const runtimesOwn = -1

// reset prepares for the samples of a profile of the given size.
func (g *groups) reset(samples, size int) {
	if g.index == nil {
		g.index, g.placed = map[stack.ID]int{}, map[placed]int{}
	}
	g.most = min(samples, maxGroups)
	g.list = emptied(g.list, min(g.most, size/sampleSize))
	g.last = g.last[:0]
	g.total, g.stackless, g.left = 0, 0, maxFramesPerByte*int64(size)
}

// forget lets go of the profile, and keeps the room for another.
func (g *groups) forget() {
	clear(g.list)
	clear(g.index)
	clear(g.placed)
	g.list = g.list[:0]
}

// snapshot returns what was merged.
func (g *groups) snapshot() *stack.Snapshot {
	return &stack.Snapshot{Source: stack.SourceProfile, Groups: slices.Clone(g.list), Stackless: g.stackless}
}

// add takes in a sample of the profile. A goroutine that the runtime catches at
// the wrong moment, on another thread, has a sample without a stack: it lives, and
// counts.
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
		if err := g.find(t); err != nil {
			return err
		}
	}
	if g.lastGroup != runtimesOwn {
		g.list[g.lastGroup].Count += g.sample.count
	}
	return nil
}

// find finds the group of the sample, and makes a new one if there is none.
func (g *groups) find(t *tables) error {
	if err := g.expand(t); err != nil {
		return err
	}
	g.last, g.lastGroup = append(g.last[:0], g.sample.locations...), runtimesOwn
	place, ok := stack.Locate(len(g.stack), func(i int) stack.Traits { return t.traits(g.stack[i]) }, stack.Unknown)
	if !ok {
		return nil
	}
	blamed, entry := g.stack[place.Blamed], g.stack[place.Entry]
	at := placed{place.State, blamed, entry.function, place.Cut, place.FromC}
	i, ok := g.placed[at]
	if !ok {
		var err error
		if i, err = g.group(place.Signature(t.frame(blamed), t.frame(entry))); err != nil {
			return err
		}
		if len(g.placed) < maxPlaced {
			g.placed[at] = i
		}
	}
	g.lastGroup = i
	return nil
}

// group returns the index in list of the group with a signature.
func (g *groups) group(signature stack.Signature) (int, error) {
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

// push appends a group to the list, which grows once at most.
func (g *groups) push(group stack.Group) {
	if len(g.list) == cap(g.list) {
		g.list = append(make([]stack.Group, 0, g.most), g.list...)
	}
	g.list = append(g.list, group)
}

// expand looks up the stack of the sample.
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
	if g.left -= int64(len(frames)); g.left < 0 {
		return malformed("more frames than its bytes can account for")
	}
	return nil
}

// size returns about how many bytes g holds.
func (g *groups) size() int {
	// A slot of the index takes its key, its value and a byte, and up to half
	// of the slots are free.
	const slot = 2 * (8 + 8 + 1)
	const slotPlaced = 2 * (int(unsafe.Sizeof(placed{})) + 8 + 1)
	return cap(g.list)*(int(unsafe.Sizeof(stack.Group{}))+slot) + maxPlaced*slotPlaced +
		cap(g.stack)*int(unsafe.Sizeof(line{})) +
		(cap(g.sample.locations)+cap(g.last))*8
}
