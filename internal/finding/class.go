package finding

import "strings"

// Class is the kind of the mistake.
type Class string

const (
	// AnswerNotTaken is a send that nobody receives: who asked has gone.
	AnswerNotTaken Class = "answer_not_taken"
	// ReplyNeverComes is a wait for a reply, a close or a Done that does not come.
	ReplyNeverComes Class = "reply_never_comes"
	// CancelForgotten is a wait for an end that nobody brings about.
	CancelForgotten Class = "cancel_forgotten"
	// LockHeld is a wait for a lock that is not released.
	LockHeld Class = "lock_held"
	// LoopWithoutExit is a goroutine that goes on for ever.
	LoopWithoutExit Class = "loop_without_exit"
	// NotClosed is a connection, file or iterator that is held open.
	NotClosed Class = "not_closed"
	// ClassUnknown is a wait that says nothing of its reason.
	ClassUnknown Class = ""
)

// classOf tells the kind of the mistake by what the goroutines wait for, and by what wakes
// their siblings.
func classOf(head Place, wakers []Origin) Class {
	if holdsConnection(head) {
		return NotClosed
	}
	switch head.State {
	case "":
		if head.Entry == "" {
			return ClassUnknown
		}
		return LoopWithoutExit // it stands at no line for long
	case "mutex", "rwmutex_read", "rwmutex_write":
		return LockHeld
	case "chan_send":
		return AnswerNotTaken
	case "sleep", "select_no_cases", "running":
		return LoopWithoutExit
	case "io_wait", "syscall", "coroutine", "semaphore":
		return NotClosed
	case "select", "chan_receive", "waitgroup", "cond":
		for _, w := range wakers {
			if strings.HasPrefix(w.Call, "context.") {
				return CancelForgotten
			}
		}
		if head.State == "select" {
			return CancelForgotten // of several things one is the end, and none comes
		}
		return ReplyNeverComes
	}
	return ClassUnknown
}

// holdsConnection tells whether goroutines are those of a connection, or wait for one that
// others hold.
func holdsConnection(p Place) bool {
	for _, prefix := range [...]string{
		"net/http.(*persistConn).readLoop", "net/http.(*persistConn).writeLoop",
		"net/http.(*Transport).getConn", "database/sql.(*DB).conn",
	} {
		if strings.HasPrefix(p.Function, prefix) || strings.HasPrefix(p.Entry, prefix) {
			return true
		}
	}
	return false
}

// String returns the mistake in words, empty if it is unknown.
func (c Class) String() string {
	return map[Class]string{
		AnswerNotTaken:  "an answer that nobody takes",
		ReplyNeverComes: "a reply that never comes",
		CancelForgotten: "a cancel that is forgotten",
		LockHeld:        "a lock that is held",
		LoopWithoutExit: "a loop without an exit",
		NotClosed:       "a connection that is not closed",
	}[c]
}

// pageOf returns the page that treats goroutines in a state, relative to the root of this
// repository.
func pageOf(state string) string {
	switch state {
	case "chan_send", "chan_receive", "select", "select_no_cases", "mutex", "rwmutex_read", "rwmutex_write", "waitgroup",
		"cond", "semaphore", "sleep", "io_wait", "syscall", "coroutine", "running", "other":
		return "docs/leaks/" + state + ".md"
	case "":
		return "docs/leaks/sleep.md" // an entry: its loop has no exit
	}
	return "docs/leaks/README.md"
}
