//go:build go1.25

package instrument

import (
	"context"
	"strconv"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/otel-goroutine/otel-goroutine/internal/census"
	"github.com/otel-goroutine/otel-goroutine/internal/settings"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// TestCountedSetsAreBounded has more groups in the life of a process than the SDK
// keeps of a counter. What comes late is counted under other, never lost.
func TestCountedSetsAreBounded(t *testing.T) {
	r := rig{reader: sdkmetric.NewManualReader()}
	made, _, err := newInstruments(sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.reader)).Meter("test"), everything())
	if err != nil {
		t.Fatal(err)
	}
	bounds := census.Bounds(10 * time.Minute)
	lowest, highest := ageMin(bounds[0]), ageMin(bounds[census.Bands-1])
	const groups = 5000
	var young census.Numbers
	young.Bands[0].SendAged, young.Bands[0].SendExits = true, true
	for n := range groups { // that come and go
		r := newRow(entryAttributes("main.young"+strconv.Itoa(n), "f.go"), bounds, young)
		made.entries.exits.addZero(t.Context(), &r)
	}
	if n := len(r.collect(t)[telemetry.EntryAgedExits]); n != maxCountedYoung {
		t.Errorf("%d sets of groups without anybody aged, want %d", n, maxCountedYoung)
	}
	for n := range groups {
		// One goroutine of each has left, after it reached the highest band.
		numbers := census.Numbers{Count: 1}
		numbers.Bands[0].SendAged, numbers.Bands[0].SendExits = true, true
		for i := 1; i < census.Bands; i++ {
			numbers.Bands[i] = census.Band{Aged: 1, SendAged: true}
			if i == census.Bands-1 {
				numbers.Bands[i] = census.Band{Exits: 1, NewExits: 1, SendExits: true}
			}
		}
		rows := []row{newRow(entryAttributes("main.f"+strconv.Itoa(n), "f.go"), bounds, numbers)}
		made.entries.exits.add(t.Context(), rows, bounds[0])
		made.entries.exits.addZero(t.Context(), &rows[0])
	}
	c := r.collect(t)
	if n := len(c[telemetry.EntryAgedExits]); n != maxCounted+maxBanded+1 {
		t.Errorf("%d sets, want a lowest band of %d groups, a highest of %d, and other", n, maxCounted, maxBanded)
	}
	for _, want := range []struct {
		what       string
		attributes []string
		exits      float64
	}{
		{"in all", nil, groups},
		{"of others", []string{telemetry.AttrEntry, telemetry.SignatureOther}, groups - maxCounted + maxCountedYoung},
		{"of the highest band", []string{telemetry.AttrAgeMin, highest}, maxBanded},
		{"of the lowest band", []string{telemetry.AttrAgeMin, lowest}, groups - maxBanded},
		{"of a group with bands", []string{telemetry.AttrEntry, "main.f7", telemetry.AttrAgeMin, highest}, 1},
		{"of a group without", []string{telemetry.AttrEntry, "main.f400", telemetry.AttrAgeMin, lowest}, 1},
	} {
		if n := c.sum(telemetry.EntryAgedExits, want.attributes...); n != want.exits {
			t.Errorf("%v exits %s, want %v", n, want.what, want.exits)
		}
	}
}

// TestSetsOfACollectionAreBounded has as many groups as can be listed, of which all have
// goroutines of all ages. None of them may come under what the SDK sums up by itself.
func TestSetsOfACollectionAreBounded(t *testing.T) {
	r := rig{reader: sdkmetric.NewManualReader()}
	meter := sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.reader)).Meter("test")
	made, observed, err := newInstruments(meter, everything())
	if err != nil {
		t.Fatal(err)
	}
	bounds := census.Bounds(10 * time.Minute)
	numbers := census.Numbers{Count: 8}
	for i := range numbers.Bands {
		numbers.Bands[i] = census.Band{Aged: 2, Exits: 1, NewExits: 1, SendAged: true, SendExits: true}
	}
	var rows []row
	for n := range settings.MaxMaxSignatures {
		rows = append(rows, newRow(entryAttributes("main.f"+strconv.Itoa(n), "f.go"), bounds, numbers))
	}
	rows = append(rows, newRow(otherEntry, bounds, numbers))
	made.entries.exits.add(t.Context(), rows, bounds[0])
	if _, err := meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		made.entries.observe(ctx, o, rows)
		return nil
	}, observed...); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		c := r.collect(t)
		for name, each := range map[string]float64{telemetry.EntryAgedCount: 8, telemetry.EntryAgedExits: 4} {
			for _, p := range c[name] {
				if p.attributes[telemetry.AttrEntry] == "" {
					t.Fatalf("%s: summed up by the SDK: %v", name, p.attributes)
				}
			}
			if n, want := c.sum(name), each*float64(len(rows)); n != want {
				t.Errorf("%s: %v in all, want %v", name, n, want)
			}
			if n := c.sum(name, telemetry.AttrEntry, "main.f999"); n != each {
				t.Errorf("%s: %v of the last group, want %v", name, n, each)
			}
		}
	}
}
