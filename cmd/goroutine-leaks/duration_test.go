package main

import (
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"7d": 7 * 24 * time.Hour, "2w": 14 * 24 * time.Hour, "1w1d": 8 * 24 * time.Hour, "1d12h30m": 36*time.Hour + 30*time.Minute,
		"168h": 168 * time.Hour, "1.5h": 90 * time.Minute, "0s": 0, "-1h": -time.Hour, "9999d": 9999 * 24 * time.Hour,
	} {
		if d, err := parseDuration(text); err != nil || d != want {
			t.Errorf("%s: got %v, %v, want %v", text, d, err, want)
		}
	}
	for _, text := range []string{"", "7", "d", "1d1w", "7 d", "12345d", "1h7d", "-7d"} {
		if d, err := parseDuration(text); err == nil {
			t.Errorf("%q: got %v", text, d)
		}
	}
}

func FuzzParseDuration(f *testing.F) {
	f.Add("1w2d3h")
	f.Fuzz(func(t *testing.T, text string) {
		standard, standardErr := time.ParseDuration(text)
		if d, err := parseDuration(text); standardErr == nil && (err != nil || d != standard) {
			t.Errorf("got %v, %v, want %v", d, err, standard)
		}
	})
}
