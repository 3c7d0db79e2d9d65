package exectrace

import (
	"strings"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// isRootReliable reports whether the last frame of a goroutine that did not block by itself
// is the function that it was started with.
//
// The runtime unwinds such a stack by frame pointers, and misses the caller of a function
// that has not set up one. So a single frame may be a function that the root called:
//
//   - one preempted by the scheduler in its prologue, before Go 1.25 (golang/go#68090):
//     sync.(*WaitGroup).Add instead of main.work;
//   - an interrupted function without a frame, in any version:
//     runtime.asyncPreempt < main.hash instead of main.work.
//
// If there are two or more frames, the missing one is between them. Frames below the entry,
// of the runtime or of a library that started the goroutine, do not count.
func isRootReliable(frames []stack.Frame, v version) bool {
	frames = stack.TrimRoot(frames)
	rest := trimInterrupt(frames)
	switch {
	case len(rest) != 1:
		return len(rest) > 1
	case isRuntimeRoot(rest[0].Function):
		return true
	}
	return len(rest) == len(frames) && v >= go125
}

// trimInterrupt removes the frames of asynchronous preemption.
//
//	runtime.asyncPreempt2 < runtime.asyncPreempt < main.f  ->  main.f
func trimInterrupt(frames []stack.Frame) []stack.Frame {
	for len(frames) > 0 && strings.HasPrefix(frames[0].Function, "runtime.asyncPreempt") {
		frames = frames[1:]
	}
	return frames
}

// isRuntimeRoot reports whether a function is the root of one of the runtime's goroutines
// that can be seen running in every process that collects garbage.
func isRuntimeRoot(function string) bool {
	switch function {
	case "runtime.bgsweep", "runtime.bgscavenge", "runtime.gcBgMarkWorker":
		return true
	}
	return false
}
