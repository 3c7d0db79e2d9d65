package origin

import (
	"slices"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// classify returns the class of the mistake, by the traces of the group or else by its state.
func classify(s subject, o *Origin, traces []*exectrace.Origins) mistake.Class {
	if s.group == entryOnly {
		return mistake.LoopWithoutExit // its goroutines wait at no line for long
	}
	if c := classOfStack(s.group, traces); c != mistake.Unknown {
		return c
	}
	switch s.Signature.State {
	case stack.StateSelect, stack.StateChanReceive, stack.StateWaitGroup, stack.StateCond:
		switch {
		case slices.ContainsFunc(o.Wakers, Waker.cancels):
			return mistake.CancelForgotten
		case wakesRepeatedly(s.group, traces):
			return mistake.LoopWithoutExit
		}
	}
	return mistake.OfState(string(s.Signature.State))
}

// classOfStack returns the class by the functions on the stack of the goroutines.
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

// wakesRepeatedly reports whether goroutines from before the trace wake repeatedly.
func wakesRepeatedly(group int, traces []*exectrace.Origins) bool {
	again, older := 0, 0
	for _, t := range traces {
		again += t.Groups[group].Again
		older += t.Groups[group].Older
	}
	return older > 0 && again >= older
}

// cancels reports whether a waker cancels a context.
func (w Waker) cancels() bool {
	return slices.ContainsFunc(w.Stack, func(f stack.Frame) bool {
		return f.Function == "context.(*cancelCtx).cancel"
	})
}
