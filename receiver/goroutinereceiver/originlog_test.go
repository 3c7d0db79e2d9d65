package goroutinereceiver

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// someOrigin returns the origin of a group.
func someOrigin() *origin.Origin {
	checkOut := stack.Frame{Function: "main.checkOut", File: "/src/order.go", Line: 31}
	return &origin.Origin{
		Signature: stack.Signature{
			ID: 1, State: stack.StateChanReceive, Entry: "main.work",
			Blamed: stack.Frame{Function: "main.waitForReply", File: "/src/order.go", Line: 51},
		},
		Caught: origin.LeakedBirth, Births: 383, Leaked: 8, Traced: time.Second, Class: mistake.ReplyNeverComes,
		Creators: []origin.Creator{{
			Stack: []stack.Frame{{Function: "example.com/pool.Go", File: "/mod/example.com/pool@v1.2.3/go.go", Line: 7}, checkOut, {Function: "main.main", File: "/src/main.go", Line: 12}},
			Own:   checkOut, Count: 8, Share: 1,
		}},
		Wakers: []origin.Waker{{
			Stack: []stack.Frame{{Function: "main.reply", File: "/src/order.go", Line: 60}},
			Own:   stack.Frame{Function: "main.reply", File: "/src/order.go", Line: 60}, Count: 375, Share: 1,
		}},
	}
}

// TestOriginRecord compares a log record with a golden file.
func TestOriginRecord(t *testing.T) {
	logs := plog.NewLogs()
	originRecord(someOrigin(), time.Unix(1_700_000_000, 0)).MoveTo(logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
	got, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
	require.NoError(t, err)
	want, err := os.ReadFile("testdata/origin.json")
	require.NoError(t, err)
	assert.JSONEq(t, string(want), string(got))
}
