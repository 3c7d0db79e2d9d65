//go:build go1.25

package instrument

import (
	"runtime/pprof"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/settings"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// leakHere waits for what nobody can send.
func leakHere() { <-make(chan int) }

// TestLeakProfile is run in a build with the runtime's leak profile, and in one
// without (`make test`).
func TestLeakProfile(t *testing.T) {
	if pprof.Lookup("goroutineleak") == nil {
		withoutLeakProfile(t)
		return
	}
	l := newLeakProfile(defaultConfig())
	leaked, err := l.collect()
	if err != nil || len(leaked.rows) != 1 || leaked.rows[0].count != 0 {
		t.Fatalf("without a leak: %v, %v", leaked, err)
	}
	for range 5 {
		go leakHere()
	}
	r := begin(t, WithLeakProfile(settings.MinLeakProfile))
	// That somebody looked is told at once; what was found when it has been found
	// twice, and the next leak profile is five minutes away.
	r.until(t, "a leak profile", func(c collected) bool { return len(c[telemetry.StackLeakedCount]) == 1 })
	for deadline := time.Now().Add(20 * time.Second); ; {
		if leaked, err = l.collect(); err != nil {
			t.Fatal(err)
		}
		if leaked.rows[0].count == 5 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 s: %v", leaked.rows)
		}
	}
}

func withoutLeakProfile(t *testing.T) {
	h := handle(t)
	r := begin(t, WithLeakProfile(settings.MinLeakProfile))
	n := 0
	for c := range r.collections(t) {
		if len(c[telemetry.StackLeakedCount]) != 0 {
			t.Fatalf("%v", c[telemetry.StackLeakedCount])
		}
		if n++; n > 20 && len(h.all()) > 0 {
			break
		}
	}
	all := h.all()
	if len(all) != 1 || !strings.Contains(all[0], "goroutineleak profile: not available in this process") || !strings.Contains(all[0], "GOEXPERIMENT=goroutineleakprofile") {
		t.Errorf("told: %q", all)
	}
}

func TestLeakProfileIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if (&leakProfile{}).due() {
			t.Error("it is due though it is switched off")
		}
		l := leakProfile{every: 5 * time.Minute}
		if !l.due() {
			t.Error("the first is not due")
		}
		l.last = time.Now()
		time.Sleep(5*time.Minute - time.Nanosecond)
		if l.due() {
			t.Error("it is due too early")
		}
		time.Sleep(time.Nanosecond)
		if !l.due() {
			t.Error("it is not due in time")
		}
	})
}
