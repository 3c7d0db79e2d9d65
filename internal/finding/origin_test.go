package finding

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

func TestOrigins(t *testing.T) {
	creator := func(function string, n float64) Point {
		return Point{Metric: metricOriginCreations, Value: n, Attributes: attributes(telemetry.AttrEntry, order.Entry,
			"goroutine.creator.function.name", function, "goroutine.creator.file.path", "/src/shop.go", "goroutine.creator.line.number", "12")}
	}
	waker := func(function string, n float64) Point {
		pairs := append(order.pairs(""), "goroutine.waker.function.name", function, "goroutine.waker.line.number", "x")
		return Point{Metric: metricOriginWakeups, Value: n, Attributes: attributes(pairs...)}
	}
	r := newRig(t, Config{})
	p := leaking("a", "b1")
	p.more = []Point{creator("shop.a", 10), creator("shop.b", 60), creator("shop.c", 20), creator("shop.d", 10), waker("context.(*cancelCtx).cancel", 3), creator("", 5)}
	r.minute(nil, p)
	other := creator("shop.x", 100)
	other.Attributes = attributes(telemetry.AttrEntry, "shop.other", "goroutine.creator.function.name", "shop.x")
	p.more = []Point{other, creator("shop.b", 50)}
	r.minute(nil, p)
	f := r.only()
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
