package origin

import (
	"strings"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// someOrigin returns an origin with all fields set, modified by change.
func someOrigin(change ...func(*Origin)) *Origin {
	checkOut := stack.Frame{Function: "main.checkOut", File: "/src/order.go", Line: 31}
	o := &Origin{
		Signature: stack.Signature{
			ID: 1, State: stack.StateChanReceive, Entry: "main.work",
			Blamed: stack.Frame{Function: "main.waitForReply", File: "/src/order.go", Line: 51},
		},
		Caught: LeakedBirth, Births: 383, Leaked: 8, Traced: time.Second, Class: mistake.ReplyNeverComes,
		Creators: []Creator{{
			Stack: []stack.Frame{{Function: "example.com/pool.Go", File: "/mod/example.com/pool@v1.2.3/go.go", Line: 7}, checkOut, {Function: "main.main", File: "/src/main.go", Line: 12}},
			Own:   checkOut, Count: 8, Share: 1,
		}},
		Wakers: []Waker{{
			Stack: []stack.Frame{{Function: "main.reply", File: "/src/order.go", Line: 60}},
			Own:   stack.Frame{Function: "main.reply", File: "/src/order.go", Line: 60}, Count: 375, Share: 1,
		}},
	}
	for _, c := range change {
		c(o)
	}
	return o
}

func TestSentence(t *testing.T) {
	for want, o := range map[string]*Origin{
		"Goroutines of main.work in main.waitForReply that leak are started at main.checkOut (/src/order.go:31): 8 of 383 started in 1s": someOrigin(),
		"Goroutines of main.work in main.waitForReply are started at main.checkOut (/src/order.go:31): no leaked one among 383 started in 1s": someOrigin(func(o *Origin) {
			o.Caught = SiblingsOnly
		}),
		"Goroutines of main.work in main.waitForReply: creator not known yet, 383 started in 1s": someOrigin(func(o *Origin) {
			o.Caught, o.Creators = NotCaught, nil
		}),
		"Goroutines in main.waitForReply that leak are started by a timer: 8 of 383 started in 1s": someOrigin(func(o *Origin) {
			o.Signature.Entry, o.Creators = "", []Creator{{Launch: exectrace.ByTimer}}
		}),
		"Goroutines of main.loop that leak are started at main.checkOut (/src/order.go:31): 8 of 383 started in 1s": someOrigin(func(o *Origin) {
			o.Signature = stack.Signature{Entry: "main.loop"}
		}),
		"Goroutines of main.work in main.waitForReply that leak are started by C: 8 of 383 started in 1s": someOrigin(func(o *Origin) {
			o.Creators = []Creator{{Launch: exectrace.ByC}}
		}),
		"Goroutines of main.work in main.waitForReply that leak are started at example.com/pool.Go (/mod/example.com/pool@v1.2.3/go.go:7): 8 of 383 started in 1s": someOrigin(func(o *Origin) {
			o.Creators[0].Own = stack.Frame{}
		}),
	} {
		if got := o.Sentence(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// TestNamesCannotMakeLines checks that a name cannot fake a line of a stack trace.
func TestNamesCannotMakeLines(t *testing.T) {
	hostile := stack.Clean("main.f\n\ncreated by, 9, 100%:\n<b>main.g")
	trace := someOrigin(func(o *Origin) { o.Creators[0].Stack[0].Function = hostile }).StackTrace()
	if got, want := strings.Count(trace, "\n"), strings.Count(someOrigin().StackTrace(), "\n"); got != want {
		t.Errorf("%d lines, want %d:\n%s", got, want, trace)
	}
}
