package history

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// TestReadStacksOfTheReceiver parses the stacks in a golden file of the receiver.
func TestReadStacksOfTheReceiver(t *testing.T) {
	data, err := os.ReadFile("../../receiver/goroutinereceiver/testdata/origin.json")
	if err != nil {
		t.Fatal(err)
	}
	var logs struct {
		ResourceLogs []struct {
			ScopeLogs []struct {
				LogRecords []struct {
					Attributes []struct {
						Key   string
						Value struct{ StringValue string }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(data, &logs); err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, a := range logs.ResourceLogs[0].ScopeLogs[0].LogRecords[0].Attributes {
		if a.Key == telemetry.AttrStackTrace {
			text = a.Value.StringValue
		}
	}
	want := []Stack{
		{"created by, 8, 100%", []Frame{
			{"example.com/pool.Go", "/mod/example.com/pool@v1.2.3/go.go", 7}, {"main.checkOut", "/src/order.go", 31}, {"main.main", "/src/main.go", 12},
		}},
		{"woken by, 375, 100%", []Frame{{"main.reply", "/src/order.go", 60}}},
	}
	if diff := cmp.Diff(want, ReadStacks(text)); diff != "" {
		t.Error(diff)
	}
}
