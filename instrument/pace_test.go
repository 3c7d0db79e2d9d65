package instrument

import (
	"math"
	"testing"
	"time"
)

func TestPaceKeepsWithinTheBudget(t *testing.T) {
	tests := []struct {
		name  string
		costs []time.Duration
		every time.Duration
	}{
		{"nothing known", nil, time.Minute},
		{"cheap", []time.Duration{2 * time.Millisecond}, time.Minute},
		{"as dear as it may be", []time.Duration{60 * time.Millisecond}, time.Minute},
		{"dear", []time.Duration{90 * time.Millisecond}, 90 * time.Second},
		{"one that was held up", []time.Duration{60 * time.Millisecond, 100 * time.Millisecond}, 70 * time.Second},
		{"dear once", []time.Duration{90 * time.Millisecond, 0, 0, 0}, time.Minute},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := pace{interval: time.Minute, budget: 0.001}
			for _, cost := range test.costs {
				p.spend(cost)
			}
			if got := p.every().Round(time.Millisecond); got != test.every {
				t.Errorf("every %v, want %v", got, test.every)
			}
		})
	}
}

func TestPaceAtItsLimits(t *testing.T) {
	tests := []struct {
		name string
		pace pace
		want time.Duration
	}{
		{"a budget of next to nothing", pace{interval: time.Minute, budget: 1e-300, cost: time.Millisecond}, maxEvery},
		{"for ever", pace{interval: math.MaxInt64, budget: 1}, maxEvery},
		{"all the time", pace{interval: 1, budget: 1}, minEvery},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.pace.every(); got != test.want {
				t.Errorf("every %v, want %v", got, test.want)
			}
			for range 1000 {
				if next := test.pace.next(); next < test.want*9/10 || next > test.want*11/10 {
					t.Fatalf("next in %v", next)
				}
			}
		})
	}
}

func TestPaceLeavesSomeToChance(t *testing.T) {
	p := pace{interval: time.Minute, budget: 0.001}
	var sum time.Duration
	const draws = 10_000
	least, most := p.next(), p.next()
	for range draws {
		next := p.next()
		least, most, sum = min(least, next), max(most, next), sum+next
	}
	// The mean of as many draws that are uniform over 6 s has a standard
	// deviation of 17 ms.
	if mean := sum / draws; mean < 59900*time.Millisecond || mean > 60100*time.Millisecond {
		t.Errorf("mean %v", mean)
	}
	if least < 57*time.Second || least > 57100*time.Millisecond || most > 63*time.Second || most < 62900*time.Millisecond {
		t.Errorf("from %v to %v", least, most)
	}
}
