package profile

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unsafe"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// maxGroups is the most signatures that a snapshot may have. Each takes 100
// bytes and can be had for 10 in a profile, so without a limit a hostile one
// would grow tenfold. A signature is a line in which goroutines of one entry
// wait; the largest programs have some thousands of such lines.
const maxGroups = 1 << 16

// maxFramesPerByte is the most frames that a profile may have for each of its
// bytes, all stacks together. A frame takes a byte at least, unless it was inlined
// into another; in services it is 0.3 to 0.8. Above 2, few bytes would buy much
// work: a location of many lines, referred to again and again.
const maxFramesPerByte = 2

// groups merges stacks by signature.
type groups struct {
	list  []stack.Group
	index map[stack.ID]int
	// owned holds copies of the names that signatures have, which would keep
	// the whole string table in memory otherwise.
	owned map[string]string

	sample sample
	frames []stack.Frame
	// last is the stack of the sample before, and lastGroup its group in list,
	// or runtimesOwn. A service that labels its goroutines one by one has the
	// same stack in sample after sample.
	last      []uint64
	lastGroup int

	// total is the sum of all counts so far.
	total int
	// left is how many more frames the profile may have.
	left int
}

// runtimesOwn is the group of the runtime's own goroutines, which is left out.
const runtimesOwn = -1

// reset prepares for the samples of a profile of the given size.
func (g *groups) reset(samples, size int) {
	if g.index == nil {
		g.index, g.owned = map[stack.ID]int{}, map[string]string{}
	}
	g.list = slices.Grow(g.list[:0], min(samples, maxGroups))
	g.last = g.last[:0]
	g.total, g.left = 0, maxFramesPerByte*size
}

// forget lets go of the strings, and keeps the room for others.
func (g *groups) forget() {
	clear(g.list)
	clear(g.frames[:cap(g.frames)])
	clear(g.index)
	clear(g.owned)
	g.list, g.frames = g.list[:0], g.frames[:0]
}

// snapshot returns what was merged.
func (g *groups) snapshot() *stack.Snapshot {
	return &stack.Snapshot{Source: stack.SourceProfile, Groups: slices.Clone(g.list)}
}

// add takes in a sample of the profile.
func (g *groups) add(b []byte, t *tables) error {
	if err := g.sample.read(b); err != nil || g.sample.count == 0 {
		return err
	}
	if g.total > math.MaxInt-g.sample.count {
		return malformed("counts add up to more than an int holds")
	}
	g.total += g.sample.count
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
	signature, ok := stack.Read(g.frames, stack.Unknown)
	if !ok {
		return nil
	}
	i, ok := g.index[signature.ID]
	if !ok {
		if i = len(g.list); i == maxGroups {
			return fmt.Errorf("%w: more than %d signatures", ErrTooLarge, maxGroups)
		}
		g.index[signature.ID] = i
		g.list = append(g.list, stack.Group{Signature: g.detach(signature)})
	}
	g.lastGroup = i
	return nil
}

// expand makes frames of the locations of the sample.
func (g *groups) expand(t *tables) error {
	g.frames = g.frames[:0]
	for _, id := range g.sample.locations {
		i, ok := t.locationIDs.index(id)
		if !ok {
			return errNoLocation(id)
		}
		lines := t.linesOf(i)
		if len(g.frames)+len(lines) > maxFrames {
			return errTooDeep()
		}
		for _, l := range lines {
			g.frames = append(g.frames, t.frame(l))
		}
	}
	if g.left -= len(g.frames); g.left < 0 {
		return malformed("more frames than its bytes can account for")
	}
	return nil
}

// detach returns a signature with names of its own.
func (g *groups) detach(s stack.Signature) stack.Signature {
	s.Blamed.Function = g.own(s.Blamed.Function)
	s.Blamed.File = g.own(s.Blamed.File)
	s.Entry = g.own(s.Entry)
	return s
}

// own returns a copy of a name, the same one each time.
func (g *groups) own(name string) string {
	owned, ok := g.owned[name]
	if !ok {
		owned = strings.Clone(name)
		g.owned[owned] = owned
	}
	return owned
}

// size returns about how many bytes g holds.
func (g *groups) size() int {
	// A group has a slot in the index, and up to three names. A slot of a map
	// takes its key, its value and a byte, and up to half of them are free.
	const slots = 2*(8+8+1) + 3*2*(16+16+1)
	return cap(g.list)*(int(unsafe.Sizeof(stack.Group{}))+slots) +
		cap(g.frames)*int(unsafe.Sizeof(stack.Frame{})) +
		(cap(g.sample.locations)+cap(g.last))*8
}
