package dump

import (
	"strings"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// states maps the runtime's wait reasons and statuses (runtime/runtime2.go).
var states = map[string]stack.State{
	"chan send":           stack.StateChanSend,
	"chan receive":        stack.StateChanReceive,
	"select":              stack.StateSelect,
	"select (no cases)":   stack.StateSelectNoCases,
	"sync.Mutex.Lock":     stack.StateMutex,
	"sync.RWMutex.RLock":  stack.StateRWMutexRead,
	"sync.RWMutex.Lock":   stack.StateRWMutexWrite,
	"sync.WaitGroup.Wait": stack.StateWaitGroup,
	"sync.Cond.Wait":      stack.StateCond,
	"semacquire":          stack.StateSemaphore,
	"sleep":               stack.StateSleep,
	"IO wait":             stack.StateIOWait,
	"syscall":             stack.StateSyscall,
	"coroutine":           stack.StateCoroutine,
	"running":             stack.StateRunning,
	"runnable":            stack.StateRunning,
}

// parseState parses the text in brackets after a goroutine's ID.
//
//	chan receive (nil chan), 5 minutes  ->  chan_receive
func parseState(text string) (stack.State, stack.Activity) {
	reason, _, _ := strings.Cut(text, ", ")
	reason, _, _ = strings.Cut(reason, " (nil chan)")
	state, known := states[reason]
	if !known {
		state = stack.StateOther
	}
	switch state {
	case stack.StateRunning:
		return state, stack.Executing
	case stack.StateSyscall:
		return state, stack.InSyscall
	}
	return state, stack.Waiting
}
