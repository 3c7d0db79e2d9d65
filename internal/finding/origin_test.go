package finding

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

func TestOrigins(t *testing.T) {
	creator := func(function string, n float64) Point {
		return Point{Metric: telemetry.OriginCreations, Value: n, Attributes: attributes(append(order.pairs(""),
			telemetry.AttrCreatorFunction, "errgroup.(*Group).Go", telemetry.AttrCreatorOwnFunction, function,
			telemetry.AttrCreatorOwnFile, "/src/shop.go", telemetry.AttrCreatorOwnLine, "12")...)}
	}
	waker := func(function string, n float64) Point {
		pairs := append(order.pairs(""), telemetry.AttrWakerFunction, function, telemetry.AttrWakerLine, "x")
		return Point{Metric: telemetry.OriginWakeups, Value: n, Attributes: attributes(pairs...)}
	}
	r := newRig(t, Config{})
	p := leaking("a", "b1")
	p.more = []Point{creator("shop.a", 10), creator("shop.b", 60), creator("shop.c", 20), creator("shop.d", 10), waker("context.(*cancelCtx).cancel", 3)}
	r.minute(nil, p)
	other := creator("shop.x", 100)
	other.Attributes = attributes(telemetry.AttrEntry, "shop.other", telemetry.AttrCreatorFunction, "shop.x")
	p.more = []Point{other, creator("shop.b", 50)}
	r.minute(nil, p)
	p.more = []Point{{Metric: telemetry.OriginTraced, Value: 1, Attributes: attributes(append(order.pairs(""), telemetry.AttrOriginClass, "not_closed")...)}}
	r.minute(nil, p)
	f := r.only()
	if f.Class != NotClosed {
		t.Error(f.Class)
	}
	want := []Origin{{"shop.b", "/src/shop.go", 12, 0.6}, {"shop.c", "/src/shop.go", 12, 0.2}, {"shop.a", "/src/shop.go", 12, 0.1}}
	if diff := cmp.Diff(want, f.Creators); diff != "" {
		t.Error(diff)
	}
	if want := "50 goroutines older than 10 min at order.go:88, none has left, 60 more each hour, started by shop.b, in version b1"; f.Evidence != want {
		t.Error(f.Evidence)
	}
	if diff := cmp.Diff([]Origin{{"context.(*cancelCtx).cancel", "", 0, 1}}, f.Wakers); diff != "" {
		t.Error(diff)
	}
}
