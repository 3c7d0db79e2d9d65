package scout

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// seen returns the result of a trace.
func seen(caught origin.Caught, creators ...origin.Creator) origin.Origin {
	return origin.Origin{Caught: caught, Creators: creators, Births: 10, Leaked: 1, Traced: time.Second, Class: mistake.NotClosed}
}

// TestBetterOriginReplaces checks that creators of leaked births replace those of siblings, and never
// the other way round.
func TestBetterOriginReplaces(t *testing.T) {
	var l learned
	for _, step := range []struct {
		origin  origin.Origin
		isNew   bool
		creator string
		count   int
	}{
		{seen(origin.NotCaught), true, "", 0},
		{seen(origin.NotCaught), false, "", 0},
		{seen(origin.SiblingsOnly, by("main.a", 5)), true, "main.a", 5},
		{seen(origin.NotCaught), false, "main.a", 5},
		{seen(origin.LeakedBirth, by("main.b", 1)), true, "main.b", 1},
		{seen(origin.SiblingsOnly, by("main.a", 5)), false, "main.b", 1},
		{seen(origin.LeakedBirth, by("main.b", 2)), false, "main.b", 3},
	} {
		if l.add(step.origin) != step.isNew {
			t.Errorf("%+v: changed is not %v", step.origin, step.isNew)
		}
		switch o := l.summary(); {
		case step.creator == "" && len(o.Creators) > 0:
			t.Errorf("%+v", o.Creators)
		case step.creator != "" && (len(o.Creators) != 1 || o.Creators[0].Stack[0].Function != step.creator || o.Creators[0].Count != step.count):
			t.Errorf("%+v", o.Creators)
		}
	}
	if o := l.summary(); o.Births != 70 || o.Leaked != 7 || o.Traced != 7*time.Second {
		t.Errorf("%+v", o)
	}
}

// TestCountsNeverFall lets five creators take turns at being the largest. Three are reported.
func TestCountsNeverFall(t *testing.T) {
	var l learned
	last := make(map[string]int)
	for i := range 50 {
		l.add(seen(origin.SiblingsOnly, by(fmt.Sprint("main.", i%5), 1+i%7)))
		o := l.summary()
		if len(o.Creators) > origin.Most {
			t.Fatalf("%d creators", len(o.Creators))
		}
		share := 0.0
		for _, c := range o.Creators {
			name := c.Stack[0].Function
			if c.Count < last[name] {
				t.Errorf("%s fell from %d to %d", name, last[name], c.Count)
			}
			last[name] = c.Count
			share += c.Share
		}
		if share > 1.0001 {
			t.Errorf("shares add up to %v", share)
		}
	}
}

// TestWakers checks that wakers are added, and that a class based on more of them replaces another.
func TestWakers(t *testing.T) {
	woken := func(class mistake.Class, n int) origin.Origin {
		o := seen(origin.NotCaught)
		o.Class, o.Wakers = class, []origin.Waker{{Own: stack.Frame{Function: "main.reply"}, Count: n}}
		return o
	}
	var l learned
	l.add(woken(mistake.ReplyNeverComes, 1))
	if !l.add(woken(mistake.CancelForgotten, 5)) || l.add(woken(mistake.ReplyNeverComes, 2)) {
		t.Error("a class with more wakers must replace another, one with fewer must not")
	}
	if o := l.summary(); o.Class != mistake.CancelForgotten || o.Wakers[0].Count != 8 {
		t.Errorf("%+v", o)
	}
}

// TestMemoryOfStacks limits the memory for as many creators as possible with the longest stacks.
func TestMemoryOfStacks(t *testing.T) {
	var l learned
	for i := range 1000 {
		c := by(fmt.Sprint("main.", i), 1)
		for range 127 {
			c.Stack = append(c.Stack, stack.Frame{Function: strings.Repeat("x", stack.MaxNameLength), File: strings.Repeat("y", stack.MaxNameLength)})
		}
		l.add(seen(origin.SiblingsOnly, c))
	}
	text := 0
	for _, c := range l.Creators {
		for _, f := range c.Stack {
			text += len(f.Function) + len(f.File)
		}
	}
	if len(l.Creators) != maxKept || text > maxKept*maxStackText {
		t.Errorf("%d creators with %d bytes", len(l.Creators), text)
	}
}
