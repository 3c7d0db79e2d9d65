package exectrace

import (
	"strings"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// rootIsSure tells whether the last frame is what a goroutine was started with, if
// it showed the stack as something other than a wait of its own making.
//
// The runtime walks such a stack by its frame pointers, and misses the caller of a
// function that has set up none. One frame alone may therefore be a function that
// the true root called:
//
//   - one that the scheduler took the processor from at its beginning, before Go
//     1.25 (golang/go#68090): sync.(*WaitGroup).Add for main.work;
//   - one that was interrupted and needs no frame, in any version:
//     runtime.asyncPreempt < main.hash for main.work.
//
// With two or more, what is missed lies between them. The frames below the entry, of
// the runtime or of a library that started the goroutine, are not counted.
func rootIsSure(frames []stack.Frame, v version) bool {
	frames = stack.TrimRoot(frames)
	rest := trimInterrupt(frames)
	switch {
	case len(rest) != 1:
		return len(rest) > 1
	case isRuntimesRoot(rest[0].Function):
		return true
	}
	return len(rest) == len(frames) && v >= go125
}

// trimInterrupt takes off the frames of an interrupt.
//
//	runtime.asyncPreempt2 < runtime.asyncPreempt < main.f  ->  main.f
func trimInterrupt(frames []stack.Frame) []stack.Frame {
	for len(frames) > 0 && strings.HasPrefix(frames[0].Function, "runtime.asyncPreempt") {
		frames = frames[1:]
	}
	return frames
}

// isRuntimesRoot tells those functions that the runtime itself starts, which are
// seen to run in every process that collects garbage.
func isRuntimesRoot(function string) bool {
	switch function {
	case "runtime.bgsweep", "runtime.bgscavenge", "runtime.gcBgMarkWorker":
		return true
	}
	return false
}
