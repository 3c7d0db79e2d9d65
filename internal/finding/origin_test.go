package finding

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

func TestOrigins(t *testing.T) {
	creator := func(function string, n float64) Point {
		return Point{Metric: telemetry.OriginCreations, Value: n, Attributes: attributes(append(order.pairs(""),
			telemetry.AttrCreatorType, "go", telemetry.AttrCreatorFunction, "errgroup.(*Group).Go", telemetry.AttrCreatorOwnFunction, function,
			telemetry.AttrCreatorOwnFile, "/src/shop.go", telemetry.AttrCreatorOwnLine, "12")...)}
	}
	waker := func(function string, n float64) Point {
		pairs := append(order.pairs(""), telemetry.AttrWakerFunction, function, telemetry.AttrWakerLine, "x",
			telemetry.AttrWakerCall, "context.WithCancel.func1")
		return Point{Metric: telemetry.OriginWakeups, Value: n, Attributes: attributes(pairs...)}
	}
	r := newRig(t, Config{})
	p := leaking("a", "b1")
	p.more = []Point{creator("shop.a", 10), creator("shop.b", 60), creator("shop.c", 20), creator("shop.d", 10), waker("shop.(*session).close", 3)}
	r.minute(nil, p)
	other := creator("shop.x", 100)
	other.Attributes = attributes(telemetry.AttrEntry, "shop.other", telemetry.AttrCreatorFunction, "shop.x")
	p.more = []Point{other, creator("shop.b", 50)}
	r.minute(nil, p)
	p.more = []Point{{Metric: telemetry.OriginTraced, Value: 1, Attributes: attributes(append(order.pairs(""), telemetry.AttrOriginClass, "not_closed")...)}}
	r.minute(nil, p)
	f := r.only()
	if f.Class != mistake.NotClosed {
		t.Error(f.Class)
	}
	want := []Origin{origin("shop.b", 0.6), origin("shop.c", 0.2), origin("shop.a", 0.1)}
	if diff := cmp.Diff(want, f.Creators); diff != "" {
		t.Error(diff)
	}
	if want := "50 goroutines older than 10 min at order.go:88, none has left, 60 more each hour, started by shop.b, " +
		"waiting for shop.(*session).close, in version b1"; f.Evidence != want {
		t.Error(f.Evidence)
	}
	if diff := cmp.Diff([]Origin{{Function: "shop.(*session).close", Share: 1, Call: "context.WithCancel.func1"}}, f.Wakers); diff != "" {
		t.Error(diff)
	}
	// The creator of one leaked goroutine replaces those of any number of healthy ones.
	leaked := creator("shop.x", 1)
	leaked.Attributes = attributes(append(order.pairs(""), telemetry.AttrOriginCaught, "leaked_birth", telemetry.AttrCreatorType, "timer")...)
	p.more = []Point{leaked, creator("shop.b", 70)}
	r.minute(nil, p)
	f = r.only()
	if diff := cmp.Diff([]Origin{{Launch: "timer", Share: 1}}, f.Creators); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(f.Evidence, ", started by a timer, ") {
		t.Error(f.Evidence)
	}
}

// TestExplained checks that a change is sent each time more is known of the creators, and only then.
func TestExplained(t *testing.T) {
	r := newRig(t, Config{})
	p := leaking("a", "b1")
	observeCreator := func(more ...string) {
		p.more = []Point{{Metric: telemetry.OriginCreations, Value: 5, Attributes: attributes(append(order.pairs(""),
			append(more, telemetry.AttrCreatorType, "go", telemetry.AttrCreatorFunction, "shop.checkOut")...)...)}}
	}
	r.minute(nil, p)
	observeCreator()
	r.minute(nil, p)
	r.minute(nil, p)
	observeCreator(telemetry.AttrOriginCaught, leakedBirth)
	r.minute(nil, p)
	r.minute(nil, p)
	if want := "detected explained explained"; r.kinds() != want {
		t.Errorf("got %q, want %q", r.kinds(), want)
	}
	if text := r.changes[1].Text; !strings.HasPrefix(text, "leak probable, its origin is known now: ") || !strings.Contains(text, "started by shop.checkOut") {
		t.Error(text)
	}
}

// TestOriginsOfTheNewestVersion deploys a version in which the line has moved, while an old process
// is still running.
func TestOriginsOfTheNewestVersion(t *testing.T) {
	creatorAt := func(line string, n float64) []Point {
		return []Point{{Metric: telemetry.OriginCreations, Value: n, Attributes: attributes(append(order.pairs(""),
			telemetry.AttrCreatorType, "go", telemetry.AttrCreatorFunction, "shop.checkOut", telemetry.AttrCreatorFile, "/src/shop.go",
			telemetry.AttrCreatorLine, line)...)}}
	}
	r := newRig(t, Config{})
	before := leaking("a", "b1")
	before.more = creatorAt("12", 100)
	r.minute(nil, before)
	r.minute(nil, before)
	after := leaking("b", "b2")
	after.more = creatorAt("20", 3)
	for range 2 {
		r.minute(nil, before, after)
	}
	r.minute(nil, before)
	if got := r.only().Creators; len(got) != 1 || got[0].Line != 20 {
		t.Errorf("%+v", got)
	}
}

func TestOriginInWords(t *testing.T) {
	for function, want := range map[string]string{
		"main.checkOut":                                     "main.checkOut",
		"github.com/acme/shop/order.checkOut":               "order.checkOut",
		"example.com/q.(*Queue[example.com/shop.Item]).put": "q.(*Queue[example.com/shop.Item]).put",
	} {
		if got := (Origin{Function: function}).String(); got != want {
			t.Errorf("%s: got %s, want %s", function, got, want)
		}
	}
	if got := (Origin{Launch: "c"}).String(); got != "C" {
		t.Error(got)
	}
}

func origin(own string, share float64) Origin {
	return Origin{
		Function: own, File: "/src/shop.go", Line: 12, Share: share, Own: true, Launch: "go",
		Statement: Line{Function: "errgroup.(*Group).Go"},
	}
}
