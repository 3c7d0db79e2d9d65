package growth

import (
	"testing"
	"time"
)

// TestNothingSeenEndsNoFlag has data be missing. That says neither that a leak goes on nor that it
// has slowed down: its flag is what it was when data come again, and ends for what is seen from then on.
func TestNothingSeenEndsNoFlag(t *testing.T) {
	at := func(minute int) time.Time {
		return time.Unix(1_750_000_000, 0).Add(time.Duration(minute) * time.Minute)
	}
	leak := func(minute int) Observation { return watched(minute, 0) }
	stopped := func(since int) func(int) Observation {
		return func(minute int) Observation {
			o := watched(min(minute, since), 0)
			o.At, o.Aged = at(minute), o.Count
			return o
		}
	}
	counts := func(minute int) Observation {
		return Observation{At: at(minute), Start: at(0), Count: float64(minute)}
	}
	restarted := func(since int) func(int) Observation { // the watcher
		return func(minute int) Observation { return watched(minute, since) }
	}
	for _, tc := range []struct {
		name       string
		lifetime   time.Duration
		before     func(minute int) Observation
		until      int // minute
		want       Severity
		from       int // minute
		after      func(minute int) Observation
		ends       End
		endsWithin int // minutes after data have come again
	}{
		{"suspected, an hour", 12 * time.Hour, leak, 90, Suspected, 135, leak, NotEnded, 0},
		{"suspected, six hours", 12 * time.Hour, leak, 90, Suspected, 435, leak, NotEnded, 0},
		{"suspected, watched anew after an hour", 12 * time.Hour, leak, 90, Suspected, 135, restarted(135), NotEnded, 0},
		{"probable, twenty hours", 12 * time.Hour, leak, 300, Probable, 1500, leak, NotEnded, 0},
		{"probable, thirty hours", 12 * time.Hour, leak, 300, Probable, 2100, leak, NotEnded, 0},
		{"counts alone, eight hours", time.Hour, counts, 200, Suspected, 680, counts, NotEnded, 0},
		{"probable, watched anew after six hours", 12 * time.Hour, leak, 300, Probable, 660, restarted(660), NotEnded, 0},
		{"suspected, and stopped meanwhile", 12 * time.Hour, leak, 90, Suspected, 435, stopped(90), Slowed, 8 * 60},
		{"probable, and stopped meanwhile", 12 * time.Hour, leak, 300, Probable, 1500, stopped(300), Slowed, 46 * 60},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rules := defaults()
			rules.MaxLifetime = tc.lifetime
			var e Evidence
			var v Verdict
			for minute := range tc.until {
				v = e.Observe(&rules, tc.before(minute))
			}
			if v.Severity != tc.want {
				t.Fatalf("before: %+v", v)
			}
			last := tc.from + 10*60
			if tc.ends != NotEnded {
				last = tc.from + tc.endsWithin
			}
			var ended End
			endedAt := 0
			for minute := tc.from; minute < last; minute++ {
				if v = e.Observe(&rules, tc.after(minute)); v.Ended != NotEnded {
					ended, endedAt = v.Ended, minute
				}
			}
			if ended != tc.ends {
				t.Errorf("ended %d after %d minutes, want %d", ended, endedAt-tc.from, tc.ends)
			}
			if ended == NotEnded && v.Severity < tc.want {
				t.Errorf("after: %+v", v)
			}
		})
	}
}

// TestSeldomSeenIsSeen has a leak stop that is observed once in 45 minutes: what was believed of it
// must end all the same.
func TestSeldomSeenIsSeen(t *testing.T) {
	rules := defaults()
	var e Evidence
	flagged := false
	for minute := 0; minute < 6*24*60; minute += 45 {
		o := watched(min(minute, 24*60), 0)
		o.At = time.Unix(1_750_000_000, 0).Add(time.Duration(minute) * time.Minute)
		v := e.Observe(&rules, o)
		flagged = flagged || v.Severity == Probable
		if flagged && v.Ended == Slowed {
			return
		}
	}
	t.Errorf("flagged: %t, and never ended", flagged)
}
