package goroutinereceiver

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// someOrigin is what is known of a group, leaf first.
func someOrigin(change ...func(*origin.Origin)) *origin.Origin {
	checkOut := stack.Frame{Function: "main.checkOut", File: "/src/order.go", Line: 31}
	o := &origin.Origin{
		Signature: stack.Signature{
			ID: 1, State: stack.StateChanReceive, Entry: "main.work",
			Blamed: stack.Frame{Function: "main.waitForReply", File: "/src/order.go", Line: 51},
		},
		Caught: origin.LeakedBirth, Births: 383, Leaked: 8, Traced: time.Second, Class: origin.ReplyNeverComes,
		Creators: []origin.Creator{{
			Stack: []stack.Frame{{Function: "example.com/pool.Go", File: "/mod/example.com/pool@v1.2.3/go.go", Line: 7}, checkOut, {Function: "main.main", File: "/src/main.go", Line: 12}},
			Own:   checkOut, Count: 8, Share: 1,
		}},
		Wakers: []origin.Waker{{
			Stack: []stack.Frame{{Function: "main.reply", File: "/src/order.go", Line: 60}},
			Own:   stack.Frame{Function: "main.reply", File: "/src/order.go", Line: 60}, Count: 375, Share: 1,
		}},
	}
	for _, c := range change {
		c(o)
	}
	return o
}

// TestOriginRecord holds the log record to the file that shows it.
func TestOriginRecord(t *testing.T) {
	logs := plog.NewLogs()
	originRecord(someOrigin(), time.Unix(1_700_000_000, 0)).MoveTo(logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
	got, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
	require.NoError(t, err)
	want, err := os.ReadFile("testdata/origin.json")
	require.NoError(t, err)
	assert.JSONEq(t, string(want), string(got))
}

func TestSentence(t *testing.T) {
	for want, o := range map[string]*origin.Origin{
		"Goroutines of main.work in main.waitForReply that leak are started at main.checkOut (/src/order.go:31): 8 of 383 started in 1s": someOrigin(),
		"Goroutines of main.work in main.waitForReply are started at main.checkOut (/src/order.go:31): none that leaks was seen among 383 started in 1s": someOrigin(func(o *origin.Origin) {
			o.Caught = origin.SiblingsOnly
		}),
		"Goroutines of main.work in main.waitForReply: nothing is known yet of what starts them, with 383 started in 1s": someOrigin(func(o *origin.Origin) {
			o.Caught, o.Creators = origin.NotCaught, nil
		}),
		"Goroutines in main.waitForReply that leak are started by a timer: 8 of 383 started in 1s": someOrigin(func(o *origin.Origin) {
			o.Signature.Entry, o.Creators = "", []origin.Creator{{Launch: exectrace.ByTimer}}
		}),
		"Goroutines of main.loop that leak are started at main.checkOut (/src/order.go:31): 8 of 383 started in 1s": someOrigin(func(o *origin.Origin) {
			o.Signature = stack.Signature{Entry: "main.loop"}
		}),
		"Goroutines of main.work in main.waitForReply that leak are started by C: 8 of 383 started in 1s": someOrigin(func(o *origin.Origin) {
			o.Creators = []origin.Creator{{Launch: exectrace.ByC}}
		}),
		"Goroutines of main.work in main.waitForReply that leak are started at example.com/pool.Go (/mod/example.com/pool@v1.2.3/go.go:7): 8 of 383 started in 1s": someOrigin(func(o *origin.Origin) {
			o.Creators[0].Own = stack.Frame{}
		}),
	} {
		assert.Equal(t, want, sentence(o))
	}
}

// TestNamesCannotMakeLines has no name begin a line of a stack that is not there.
func TestNamesCannotMakeLines(t *testing.T) {
	hostile := stack.Clean("main.f\n\ncreated by, 9, 100%:\n<b>main.g")
	trace := stackTrace(someOrigin(func(o *origin.Origin) { o.Creators[0].Stack[0].Function = hostile }))
	assert.Equal(t, strings.Count(stackTrace(someOrigin()), "\n"), strings.Count(trace, "\n"))
}
