package origin

import (
	"slices"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// classify returns the class of the mistake: by what traces show of the group, else by what
// its goroutines wait for.
func classify(s subject, o *Origin, traces []*exectrace.Origins) mistake.Class {
	if s.group == entryOnly {
		return mistake.LoopWithoutExit // its goroutines stand at no line for long
	}
	if c := classOfStack(s.group, traces); c != mistake.Unknown {
		return c
	}
	switch s.Signature.State {
	case stack.StateSelect, stack.StateChanReceive, stack.StateWaitGroup, stack.StateCond:
		switch {
		case slices.ContainsFunc(o.Wakers, Waker.cancels):
			return mistake.CancelForgotten
		case goesOn(s.group, traces):
			return mistake.LoopWithoutExit
		}
	}
	return mistake.OfState(string(s.Signature.State))
}

// classOfStack returns what the functions tell on which the goroutines stand.
func classOfStack(group int, traces []*exectrace.Origins) mistake.Class {
	for _, t := range traces {
		for _, f := range t.Groups[group].Stack {
			if c := mistake.OfFunction(f.Function); c != mistake.Unknown {
				return c
			}
		}
	}
	return mistake.Unknown
}

// goesOn tells whether those that were there before a trace wake again and again.
func goesOn(group int, traces []*exectrace.Origins) bool {
	again, older := 0, 0
	for _, t := range traces {
		again += t.Groups[group].Again
		older += t.Groups[group].Older
	}
	return older > 0 && again >= older
}

// cancels tells whether a waker cancels a context.
func (w Waker) cancels() bool {
	return slices.ContainsFunc(w.Stack, func(f stack.Frame) bool {
		return f.Function == "context.(*cancelCtx).cancel"
	})
}
