package origin

import (
	"fmt"
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// Sentence returns a summary.
//
//	Goroutines of main.work in main.wait that leak are started at main.checkout (/src/order.go:31): 8 of 383 started in 1s
func (o *Origin) Sentence() string {
	of, entry, blamed := "Goroutines", o.Signature.Entry, o.Signature.Blamed.Function
	if entry != "" {
		of += " of " + entry
	}
	if blamed != "" && blamed != entry {
		of += " in " + blamed
	}
	sampled := fmt.Sprintf("%d started in %v", o.Births, o.Traced.Round(time.Millisecond))
	switch o.Caught {
	case LeakedBirth:
		return fmt.Sprintf("%s that leak are started %s: %d of %s", of, o.Creators[0].location(), o.Leaked, sampled)
	case SiblingsOnly:
		return fmt.Sprintf("%s are started %s: no leaked one among %s", of, o.Creators[0].location(), sampled)
	}
	return fmt.Sprintf("%s: creator not known yet, %s", of, sampled)
}

// location describes the creator, by its line of own code if there is one.
func (c *Creator) location() string {
	line := c.Own
	switch {
	case c.Launch == exectrace.ByTimer:
		return "by a timer"
	case c.Launch == exectrace.ByC:
		return "by C"
	case line.Function == "" && len(c.Stack) > 0:
		line = c.Stack[0]
	}
	return fmt.Sprintf("at %s (%s:%d)", line.Function, line.File, line.Line)
}

// StackTrace returns the stacks of all creators and wakers in Go's format.
//
//	created by, 8, 100%:
//	main.checkout(...)
//		/src/order.go:31
func (o *Origin) StackTrace() string {
	var b strings.Builder
	write := func(title string, count int, share float64, frames []stack.Frame) {
		if len(frames) == 0 {
			return
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s, %d, %.0f%%:\n", title, count, 100*share)
		for _, f := range frames {
			fmt.Fprintf(&b, "%s(...)\n\t%s:%d\n", f.Function, f.File, f.Line)
		}
	}
	for i := range o.Creators {
		write("created by", o.Creators[i].Count, o.Creators[i].Share, o.Creators[i].Stack)
	}
	for i := range o.Wakers {
		write("woken by", o.Wakers[i].Count, o.Wakers[i].Share, o.Wakers[i].Stack)
	}
	return b.String()
}
