package growth

import (
	"testing"
	"time"
)

// TestSlowerGrowthIsNoEnd checks that a suspicion which is not shown again lasts while goroutines
// still arrive and stay, however slowly, and that it ends when none arrives.
func TestSlowerGrowthIsNoEnd(t *testing.T) {
	for name, tc := range map[string]struct {
		every  int // minutes between arrivals after the first 90 minutes; 0 if none arrives
		exits  bool
		ends   End
		latest int
	}{
		"still arrive":             {every: 12, ends: NotEnded},
		"still arrive and exit":    {every: 12, exits: true, ends: Slowed, latest: 300},
		"do not arrive any longer": {ends: Slowed, latest: 300},
	} {
		t.Run(name, func(t *testing.T) {
			rules := defaults()
			rules.MaxLifetime = 12 * time.Hour
			var e Evidence
			suspected := false
			for minute := range 400 {
				o := watched(min(minute, 90), 0)
				o.At = time.Unix(1_750_000_000, 0).Add(time.Duration(minute) * time.Minute)
				if later := minute - 90; later > 0 && tc.every > 0 {
					more := float64(later / tc.every)
					o.Aged, o.Count = o.Aged+more, o.Count+more
					if tc.exits {
						o.Exits += 3 * more
					}
				}
				v := e.Observe(&rules, o)
				suspected = suspected || v.Severity == Suspected
				if v.Severity > Suspected {
					t.Fatalf("minute %d: %+v", minute, v)
				}
				if v.Ended != NotEnded {
					if v.Ended != tc.ends || minute > tc.latest {
						t.Errorf("ended %d in minute %d", v.Ended, minute)
					}
					return
				}
			}
			if !suspected || tc.ends != NotEnded {
				t.Errorf("suspected: %v, not ended", suspected)
			}
		})
	}
}
