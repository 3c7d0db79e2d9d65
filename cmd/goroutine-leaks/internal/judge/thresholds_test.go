package judge

import (
	"testing"
	"time"
)

// TestTimeToProbable compares with a simulation of the rule.
func TestTimeToProbable(t *testing.T) {
	hour := Defaults()
	hour.MaxLifetime = time.Hour
	for _, test := range []struct {
		t       Thresholds
		perHour float64
		want    time.Duration // without AgedAfter
	}{
		{Defaults(), 12, 224 * time.Minute},
		{Defaults(), 60, 100 * time.Minute},
		{Defaults(), 180, 58 * time.Minute},
		{Defaults(), 3600, 30 * time.Minute}, // MinDuration
		{hour, 12, 65 * time.Minute},
		{hour, 60, 30 * time.Minute},
		{Defaults(), 0, Year - 10*time.Minute},
	} {
		got := test.t.TimeToProbable(test.perHour) - test.t.AgedAfter
		if diff := got - test.want; diff < -3*time.Minute || diff > 3*time.Minute {
			if test.perHour > 0 || got < Year/2 {
				t.Errorf("%v an hour at %v: %v, want %v", test.perHour, test.t.MaxLifetime, got, test.want)
			}
		}
	}
}

func TestFormatDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", 250 * time.Millisecond: "250 ms", time.Second: "1 s", 3300 * time.Millisecond: "3.3 s", 50 * time.Second: "50 s",
		time.Minute: "1 min", 90 * time.Second: "90 s", 150 * time.Second: "2.5 min", 12 * time.Hour: "12 h", 24 * time.Hour: "1 d", 36 * time.Hour: "36 h",
		9 * 24 * time.Hour: "9 d",
	} {
		if got := FormatDuration(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
