package origin

import (
	"testing"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
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
		want  mistake.Class
	}{
		{stack.StateMutex, exectrace.Waiting{}, mistake.LockHeld},
		{stack.StateRWMutexRead, exectrace.Waiting{}, mistake.LockHeld},
		{stack.StateRWMutexWrite, exectrace.Waiting{}, mistake.LockHeld},
		{stack.StateChanSend, exectrace.Waiting{}, mistake.AnswerNotTaken},
		{stack.StateSleep, exectrace.Waiting{}, mistake.LoopWithoutExit},
		{stack.StateSelectNoCases, exectrace.Waiting{}, mistake.LoopWithoutExit},
		{stack.StateRunning, exectrace.Waiting{}, mistake.LoopWithoutExit},
		{stack.StateIOWait, exectrace.Waiting{}, mistake.NotClosed},
		{stack.StateSyscall, exectrace.Waiting{}, mistake.NotClosed},
		{stack.StateCoroutine, exectrace.Waiting{}, mistake.NotClosed},
		{stack.StateSemaphore, exectrace.Waiting{}, mistake.NotClosed},
		{stack.StateWaitGroup, exectrace.Waiting{}, mistake.ReplyNeverComes},
		{stack.StateCond, exectrace.Waiting{}, mistake.ReplyNeverComes},
		{stack.StateChanReceive, young, mistake.ReplyNeverComes},
		{stack.StateChanReceive, busy, mistake.LoopWithoutExit},
		{stack.StateChanReceive, cancelled, mistake.CancelForgotten},
		{stack.StateSelect, young, mistake.CancelForgotten},
		{stack.StateSelect, busy, mistake.LoopWithoutExit},
		{stack.StateSelect, cancelled, mistake.CancelForgotten},
		{stack.StateSelect, connection, mistake.NotClosed},
		{stack.StateSelect, pipe, mistake.AnswerNotTaken},
		{stack.StateSyscall, flock, mistake.LockHeld},
		{stack.StateOther, exectrace.Waiting{}, mistake.Unknown},
	} {
		trace := seen()
		trace.Groups[0] = tc.group
		got := Conclude(Subjects{Groups: []Subject{{Signature: stack.Signature{State: tc.state}}}}, []*exectrace.Origins{trace})[0].Class
		if got != tc.want {
			t.Errorf("%s, %+v: %q, want %q", tc.state, tc.group, got, tc.want)
		}
	}
}
