package goroutinereceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

// TestAgeBands records a report with different points in its bands.
func TestAgeBands(t *testing.T) {
	rec := newTargetDeps(testConfig(), newPool(), receivertest.NewNopSettings(metadata.Type), nil).recordings.New().(*recording)
	numbers := census.Numbers{Count: 9, Bands: [census.Bands]census.Band{
		{SendAged: true, SendExits: true},
		{Exits: 7, SendExits: true},
		{},
		{Aged: 5, SendAged: true},
	}}
	began := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	at := began.Add(time.Hour)
	report := census.Report{
		Start: began, Count: 9, Complete: true, Bounds: census.Bounds(10 * time.Minute),
		Groups: []census.Group{
			{Signature: stack.Signature{ID: 1, State: stack.StateSelect, Blamed: stack.Frame{Function: "main.wait"}}, Numbers: numbers},
			{Other: true, Numbers: numbers},
		},
		Entries: []census.Entry{{Function: "main.wait", Numbers: numbers}, {Other: true, Numbers: numbers}},
	}
	type point struct {
		ageMin float64
		value  int64
	}
	aged, exits := []point{{600, 0}, {38400, 5}}, []point{{600, 0}, {4800, 7}}
	for _, test := range []struct {
		metric, key, value string
		want               []point
	}{
		{telemetry.StackAgedCount, telemetry.AttrFunction, "main.wait", aged},
		{telemetry.StackAgedCount, telemetry.AttrSignature, telemetry.SignatureOther, aged},
		{telemetry.StackAgedExits, telemetry.AttrFunction, "main.wait", exits},
		{telemetry.StackAgedExits, telemetry.AttrSignature, telemetry.SignatureOther, exits},
		{telemetry.EntryAgedCount, telemetry.AttrEntry, "main.wait", aged},
		{telemetry.EntryAgedCount, telemetry.AttrEntry, telemetry.SignatureOther, aged},
		{telemetry.EntryAgedExits, telemetry.AttrEntry, "main.wait", exits},
		{telemetry.EntryAgedExits, telemetry.AttrEntry, telemetry.SignatureOther, exits},
	} {
		rec.recordCensus(&report, at)
		var got []point
		for _, p := range emitted(rec).points(test.metric, test.key, test.value) {
			ageMin, ok := p.Attributes().Get(telemetry.AttrAgeMin)
			require.True(t, ok, test.metric)
			got = append(got, point{ageMin.Double(), p.IntValue()})
			assert.Equal(t, pcommon.NewTimestampFromTime(began), p.StartTimestamp())
		}
		assert.ElementsMatch(t, test.want, got, "%s of %s", test.metric, test.value)
	}
}

// emitted returns the recorded metrics.
func emitted(rec *recording) scraped {
	metrics, _ := rec.emit(pcommon.NewResource())
	return scraped{metrics}
}
