package mistake

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOfFunction(t *testing.T) {
	for name, want := range map[string]Class{
		"net/http.(*persistConn).readLoop":       NotClosed,
		"net/http.(*persistConn).readLoop.func4": NotClosed,
		"net/http.(*persistConn).readLoopPeek":   Unknown,
		"io.(*pipe).write":                       AnswerNotTaken,
		"main.wait":                              Unknown,
		"":                                       Unknown,
	} {
		if got := OfFunction(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// TestEveryClassHasWords checks that every class except Unknown has a String.
func TestEveryClassHasWords(t *testing.T) {
	for _, state := range []string{
		"chan_send", "chan_receive", "select", "select_no_cases", "mutex", "rwmutex_read", "rwmutex_write", "waitgroup", "cond",
		"semaphore", "sleep", "io_wait", "syscall", "coroutine", "running",
	} {
		if c := OfState(state); c == Unknown || c.String() == "" {
			t.Errorf("%s: %q, in words %q", state, string(c), c)
		}
	}
	if OfState("other") != Unknown || Unknown.String() != "" {
		t.Error("only Unknown has no words")
	}
}
