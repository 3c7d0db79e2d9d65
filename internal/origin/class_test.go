package origin

import (
	"testing"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

func TestClass(t *testing.T) {
	cancelled := exectrace.Waiting{Wakes: []exectrace.Wake{{Waker: []stack.Frame{cancelCtx, cancelFunc, closeAll}, Count: 1, Last: 1}}}
	busy := exectrace.Waiting{Older: 10, Again: 10}
	young := exectrace.Waiting{Older: 10, Again: 9, Count: 100}
	connection := exectrace.Waiting{Stack: []stack.Frame{{Function: "runtime.selectgo"}, {Function: "database/sql.(*DB).conn"}, checkout}}
	pipe := exectrace.Waiting{Stack: []stack.Frame{{Function: "runtime.selectgo"}, {Function: "io.(*pipe).write"}, checkout}}
	flock := exectrace.Waiting{Stack: []stack.Frame{{Function: "syscall.Syscall"}, {Function: "syscall.Flock"}, checkout}}
	for _, tc := range []struct {
		state stack.State
		group exectrace.Waiting
		want  Class
	}{
		{stack.StateMutex, exectrace.Waiting{}, LockHeld},
		{stack.StateRWMutexRead, exectrace.Waiting{}, LockHeld},
		{stack.StateRWMutexWrite, exectrace.Waiting{}, LockHeld},
		{stack.StateChanSend, exectrace.Waiting{}, AnswerNotTaken},
		{stack.StateSleep, exectrace.Waiting{}, LoopWithoutExit},
		{stack.StateSelectNoCases, exectrace.Waiting{}, LoopWithoutExit},
		{stack.StateRunning, exectrace.Waiting{}, LoopWithoutExit},
		{stack.StateIOWait, exectrace.Waiting{}, NotClosed},
		{stack.StateSyscall, exectrace.Waiting{}, NotClosed},
		{stack.StateCoroutine, exectrace.Waiting{}, NotClosed},
		{stack.StateSemaphore, exectrace.Waiting{}, NotClosed},
		{stack.StateWaitGroup, exectrace.Waiting{}, ReplyNeverComes},
		{stack.StateCond, exectrace.Waiting{}, ReplyNeverComes},
		{stack.StateChanReceive, young, ReplyNeverComes},
		{stack.StateChanReceive, busy, LoopWithoutExit},
		{stack.StateChanReceive, cancelled, CancelForgotten},
		{stack.StateSelect, young, CancelForgotten},
		{stack.StateSelect, busy, LoopWithoutExit},
		{stack.StateSelect, cancelled, CancelForgotten},
		{stack.StateSelect, connection, NotClosed},
		{stack.StateSelect, pipe, AnswerNotTaken},
		{stack.StateSyscall, flock, LockHeld},
		{stack.StateOther, exectrace.Waiting{}, ClassUnknown},
	} {
		trace := seen()
		trace.Groups[0] = tc.group
		got := Conclude(Subjects{Groups: []Subject{{Signature: stack.Signature{State: tc.state}}}}, []*exectrace.Origins{trace})[0].Class
		if got != tc.want {
			t.Errorf("%s, %+v: %q, want %q", tc.state, tc.group, got, tc.want)
		}
	}
}
