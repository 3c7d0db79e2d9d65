package instrument

import (
	"strings"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/settings"
)

func TestOptions(t *testing.T) {
	const p = "OTEL_GO_GOROUTINE_"
	tests := []struct {
		name    string
		environ []string
		options []Option
		want    settings.Settings
		err     string // what it must say
	}{
		{name: "defaults", want: settings.Default()},
		{
			name: "options win", environ: []string{p + "INTERVAL=90s", p + "CAPTURE=off", p + "RUNTIME_METRICS=false"},
			options: []Option{
				WithInterval(time.Second), WithAgedAfter(time.Hour), WithMaxSignatures(3), WithCapture(CaptureTrace),
				WithOverheadBudget(1), WithMaxGoroutines(5), WithLeakProfile(5 * time.Minute), WithRuntimeMetrics(),
				WithProcessCPUTime(), WithOrigins(), WithOriginsDuration(3 * time.Second), WithOriginsMaxSize(1 << 20), WithOriginsBudget(0.01),
				nil, WithMeterProvider(nil), WithOriginHandler(nil),
			},
			want: settings.Settings{
				Interval: time.Second, AgedAfter: time.Hour, MaxSignatures: 3, Capture: "trace", OverheadBudget: 1,
				MaxGoroutines: 5, LeakProfile: 5 * time.Minute, RuntimeMetrics: true, ProcessCPUTime: true,
				Origins: true, OriginsDuration: 3 * time.Second, OriginsMaxSize: 1 << 20, OriginsBudget: 0.01,
			},
		},
		{name: "negative", options: []Option{WithInterval(-1)}, err: "WithInterval: must be positive, got -1ns"},
		{name: "a trace that is too short", options: []Option{WithOriginsDuration(time.Millisecond)}, err: "WithOriginsDuration: must be between 100ms and 10s, got 1ms"},
		{name: "no capture", options: []Option{WithCapture("")}, err: `WithCapture: must be one of`},
		{
			name:    "a wrong variable is reported even if an option overrides it",
			environ: []string{p + "INTERVAL=soon"}, options: []Option{WithInterval(time.Second)}, err: p + "INTERVAL",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := newConfig(test.environ, test.options)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("got %v, want %s", err, test.err)
				}
				return
			}
			if err != nil || got.Settings != test.want {
				t.Errorf("got %+v, %v, want %+v", got.Settings, err, test.want)
			}
		})
	}
}

// TestEveryCaptureIsTaken holds the constants to what the settings take.
func TestEveryCaptureIsTaken(t *testing.T) {
	for _, capture := range []Capture{CaptureAuto, CaptureTrace, CaptureProfile, CaptureOff} {
		if _, err := newConfig(nil, []Option{WithCapture(capture)}); err != nil {
			t.Error(err)
		}
	}
	if c := defaultConfig(); Capture(c.Capture) != CaptureAuto {
		t.Errorf("the default is %q", c.Capture)
	}
}

func TestEveryMistakeIsReported(t *testing.T) {
	t.Setenv("OTEL_GO_GOROUTINE_CAPTURE", "heap")
	t.Setenv("OTEL_GO_GOROUTINE_INTERVALL", "60s")
	stop, err := Start(WithInterval(-1), WithMaxSignatures(0))
	if err == nil {
		t.Fatal("no error")
	}
	for _, name := range []string{"instrument: ", "OTEL_GO_GOROUTINE_CAPTURE", "OTEL_GO_GOROUTINE_INTERVALL", "WithInterval", "WithMaxSignatures"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%q does not say %s", err, name)
		}
	}
	if err := stop(t.Context()); err != nil {
		t.Error(err)
	}
	t.Setenv(settings.DisabledVariable, "perhaps")
	if _, err = Start(); err == nil || !strings.Contains(err.Error(), `instrument: OTEL_GO_GOROUTINE_DISABLED is "perhaps"`) {
		t.Errorf("got %v", err)
	}
}
