package instrument

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestSettings(t *testing.T) {
	const p = "OTEL_GO_GOROUTINE_"
	tests := []struct {
		name    string
		env     map[string]string
		options []Option
		want    func(c *config)
		err     string // what it must say
	}{
		{name: "defaults", want: func(*config) {}},
		{
			name: "variables",
			env: map[string]string{
				p + "INTERVAL": "90s", p + "AGED_AFTER": "1500", p + "MAX_SIGNATURES": "7", p + "CAPTURE": "profile",
				p + "OVERHEAD_BUDGET": "0.5", p + "MAX_GOROUTINES": "9", p + "LEAK_PROFILE": "10m", p + "RUNTIME_METRICS": "False",
			},
			want: func(c *config) {
				*c = config{
					interval: 90 * time.Second, agedAfter: 1500 * time.Millisecond, maxSignatures: 7, capture: CaptureProfile,
					budget: 0.5, maxGoroutines: 9, leakProfile: 10 * time.Minute, runtimeMetrics: false,
				}
			},
		},
		{
			name: "options win",
			env:  map[string]string{p + "INTERVAL": "90s", p + "CAPTURE": "off", p + "RUNTIME_METRICS": "true"},
			options: []Option{
				WithInterval(time.Second), WithAgedAfter(time.Hour), WithMaxSignatures(3), WithCapture("trace"),
				WithOverheadBudget(1), WithMaxGoroutines(5), WithLeakProfile(5 * time.Minute), WithRuntimeMetrics(false), nil,
				WithMeterProvider(nil),
			},
			want: func(c *config) {
				*c = config{
					interval: time.Second, agedAfter: time.Hour, maxSignatures: 3, capture: CaptureTrace,
					budget: 1, maxGoroutines: 5, leakProfile: 5 * time.Minute,
				}
			},
		},
		{name: "empty is unset", env: map[string]string{p + "INTERVAL": ""}, want: func(*config) {}},
		{name: "no duration", env: map[string]string{p + "INTERVAL": "soon"}, err: p + `INTERVAL is "soon": not a duration`},
		{name: "zero", env: map[string]string{p + "AGED_AFTER": "0"}, err: p + `AGED_AFTER is "0": 0s is not above 0`},
		{name: "negative", options: []Option{WithInterval(-1)}, err: "WithInterval: -1ns is not above 0"},
		{name: "too many", options: []Option{WithMaxSignatures(1001)}, err: "WithMaxSignatures: 1001 is not from 1 to 1000"},
		{name: "no number", env: map[string]string{p + "MAX_SIGNATURES": "1e3"}, err: p + `MAX_SIGNATURES is "1e3": not a whole number`},
		{name: "unknown", env: map[string]string{p + "CAPTURE": "heap"}, err: `"heap" is not one of ["auto" "trace" "profile" "off"]`},
		{name: "none", options: []Option{WithCapture("")}, err: `WithCapture: "" is not one of`},
		{name: "no share", env: map[string]string{p + "OVERHEAD_BUDGET": "NaN"}, err: "NaN is not a share of one core"},
		{name: "all of two cores", options: []Option{WithOverheadBudget(2)}, err: "WithOverheadBudget: 2 is not a share of one core"},
		{name: "no budget", options: []Option{WithOverheadBudget(0)}, err: "WithOverheadBudget: 0 is not a share"},
		{name: "too often", options: []Option{WithLeakProfile(time.Minute)}, err: "WithLeakProfile: 1m0s is neither 0, which is never, nor 5m0s or more"},
		{name: "neither", env: map[string]string{p + "RUNTIME_METRICS": "maybe"}, err: p + `RUNTIME_METRICS is "maybe": neither true nor false`},
		{name: "no goroutines", options: []Option{WithMaxGoroutines(0)}, err: "WithMaxGoroutines: 0 is not from 1"},
		{
			name: "a wrong variable is told even if an option overrides it",
			env:  map[string]string{p + "INTERVAL": "soon"}, options: []Option{WithInterval(time.Second)}, err: p + "INTERVAL",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := newConfig(func(key string) string { return test.env[key] }, test.options)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("got %v, want %s", err, test.err)
				}
				return
			}
			want := defaultConfig()
			test.want(&want)
			if err != nil || got != want {
				t.Errorf("got %+v, %v, want %+v", got, err, want)
			}
		})
	}
}

func TestEveryMistakeIsTold(t *testing.T) {
	t.Setenv("OTEL_GO_GOROUTINE_CAPTURE", "heap")
	stop, err := Start(WithInterval(-1), WithMaxSignatures(0))
	if err == nil {
		t.Fatal("no error")
	}
	for _, name := range []string{"instrument: ", "OTEL_GO_GOROUTINE_CAPTURE", "WithInterval", "WithMaxSignatures"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%q does not say %s", err, name)
		}
	}
	if err := stop(t.Context()); err != nil {
		t.Error(err)
	}
	t.Setenv("OTEL_GO_GOROUTINE_DISABLED", "perhaps")
	if _, err = Start(); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%s is %q", disabled, "perhaps")) {
		t.Errorf("got %v", err)
	}
}
