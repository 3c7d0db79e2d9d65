package settings

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestReadEnvironment(t *testing.T) {
	tests := []struct {
		name    string
		environ []string // without the prefix
		want    func(s *Settings)
		errs    []string // what it must say, one of each
	}{
		{name: "nothing is set", want: func(*Settings) {}},
		{
			name: "everything is set",
			environ: []string{
				"INTERVAL=90s", "AGED_AFTER=1500ms", "MAX_SIGNATURES=7", "CAPTURE=profile", "OVERHEAD_BUDGET=0.5",
				"MAX_GOROUTINES=9", "LEAK_PROFILE=10m", "RUNTIME_METRICS=True", "PROCESS_CPU_TIME=true", "DISABLED=false",
				"ORIGINS=true", "ORIGINS_DURATION=2s", "ORIGINS_MAX_SIZE=1048576", "ORIGINS_BUDGET=0.25",
			},
			want: func(s *Settings) {
				*s = Settings{
					Interval: 90 * time.Second, AgedAfter: 1500 * time.Millisecond, MaxSignatures: 7, Capture: "profile",
					OverheadBudget: 0.5, MaxGoroutines: 9, LeakProfile: 10 * time.Minute, RuntimeMetrics: true, ProcessCPUTime: true,
					Origins: true, OriginsDuration: 2 * time.Second, OriginsMaxSize: 1 << 20, OriginsBudget: 0.25,
				}
			},
		},
		{name: "empty is unset", environ: []string{"INTERVAL=", "NONSENSE="}, want: func(*Settings) {}},
		{name: "spaces", environ: []string{"INTERVAL= 90s "}, want: func(s *Settings) { s.Interval = 90 * time.Second }},
		{name: "never", environ: []string{"LEAK_PROFILE=0"}, want: func(*Settings) {}},
		{
			name: "a number without a unit", environ: []string{"INTERVAL=60"},
			errs: []string{`INTERVAL is "60": a duration needs a unit: write 60s for seconds or 60ms for milliseconds`},
		},
		{name: "a broken number without a unit", environ: []string{"LEAK_PROFILE=1.5"}, errs: []string{"write 1.5s"}},
		{name: "no duration", environ: []string{"INTERVAL=soon"}, errs: []string{`INTERVAL is "soon": not a duration such as 90s`}},
		{name: "zero", environ: []string{"AGED_AFTER=0"}, errs: []string{`AGED_AFTER is "0": must be positive, got 0s`}},
		{name: "not whole", environ: []string{"MAX_SIGNATURES=1e3"}, errs: []string{`MAX_SIGNATURES is "1e3": not a whole number`}},
		{name: "too many", environ: []string{"MAX_SIGNATURES=1001"}, errs: []string{"must be between 1 and 1000, got 1001"}},
		{name: "no goroutines", environ: []string{"MAX_GOROUTINES=0"}, errs: []string{"MAX_GOROUTINES", "must be between 1 and"}},
		{name: "no capture", environ: []string{"CAPTURE=heap"}, errs: []string{`must be one of ["auto" "trace" "profile" "off"], got "heap"`}},
		{name: "no share", environ: []string{"OVERHEAD_BUDGET=NaN"}, errs: []string{"must be a share of one core, above 0 and at most 1, got NaN"}},
		{name: "two cores", environ: []string{"OVERHEAD_BUDGET=2"}, errs: []string{"must be a share of one core, above 0 and at most 1, got 2"}},
		{name: "too often", environ: []string{"LEAK_PROFILE=1m"}, errs: []string{"must be 0 (never) or at least 5m0s, got 1m0s"}},
		{name: "a short trace", environ: []string{"ORIGINS_DURATION=50ms"}, errs: []string{"must be between 100ms and 10s, got 50ms"}},
		{name: "a long trace", environ: []string{"ORIGINS_DURATION=11s"}, errs: []string{"must be between 100ms and 10s, got 11s"}},
		{name: "no room for a trace", environ: []string{"ORIGINS_MAX_SIZE=8MiB"}, errs: []string{`ORIGINS_MAX_SIZE is "8MiB": not a whole number`}},
		{name: "no budget for traces", environ: []string{"ORIGINS_BUDGET=0"}, errs: []string{"must be a share of one core, above 0 and at most 1, got 0"}},
		{name: "maybe", environ: []string{"RUNTIME_METRICS=maybe"}, errs: []string{`RUNTIME_METRICS is "maybe": neither true nor false`}},
		{
			name: "a name that is misspelt", environ: []string{"INTERVALL=60s"},
			errs: []string{"unknown variable OTEL_GO_GOROUTINE_INTERVALL, did you mean OTEL_GO_GOROUTINE_INTERVAL?"},
		},
		{name: "a name that is cut", environ: []string{"DISABLE=true"}, errs: []string{"did you mean OTEL_GO_GOROUTINE_DISABLED?"}},
		{name: "a name of nothing", environ: []string{"COLOUR=red"}, errs: []string{"unknown variable OTEL_GO_GOROUTINE_COLOUR, want one of OTEL_GO_GOROUTINE_DISABLED, OTEL_GO_GOROUTINE_INTERVAL, "}},
		{
			name: "every mistake is reported", environ: []string{"INTERVAL=60", "CAPTURE=heap", "INTERVALS=60s"},
			errs: []string{"INTERVAL is", "CAPTURE is", "unknown variable OTEL_GO_GOROUTINE_INTERVALS"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			environ := []string{"PATH=/bin", "MALFORMED"}
			for _, variable := range test.environ {
				environ = append(environ, variablePrefix+variable)
			}
			got, want := Default(), Default()
			err := got.ReadEnvironment(environ)
			for _, text := range test.errs {
				if err == nil || !strings.Contains(err.Error(), text) {
					t.Errorf("got %v, want %s", err, text)
				}
			}
			if test.want != nil {
				test.want(&want)
			}
			if got != want || (err == nil) != (test.errs == nil) {
				t.Errorf("got %+v, %v, want %+v", got, err, want)
			}
		})
	}
}

func TestIsDisabled(t *testing.T) {
	for _, test := range []struct {
		text string
		want bool
	}{{"", false}, {"true", true}, {" TRUE ", true}, {"false", false}} {
		if got, err := IsDisabled([]string{"PATH=/bin", DisabledVariable + "=" + test.text}); got != test.want || err != nil {
			t.Errorf("%q: got %v, %v", test.text, got, err)
		}
	}
	if _, err := IsDisabled([]string{DisabledVariable + "=yes"}); err == nil || err.Error() != DisabledVariable+` is "yes": neither true nor false` {
		t.Errorf("got %v", err)
	}
}

func FuzzReadEnvironment(f *testing.F) {
	for _, setting := range All() {
		f.Add(setting.Variable, "1m")
		f.Add(setting.Variable+"X", "0.5")
	}
	f.Add("", "")
	f.Fuzz(func(t *testing.T, name, text string) {
		s := Default()
		if err := s.ReadEnvironment([]string{name + "=" + text}); err != nil && s != Default() {
			t.Errorf("%v, and yet %+v", err, s)
		}
		if err := s.Check(); err != nil {
			t.Errorf("%s=%s is accepted: %v", name, text, err)
		}
		if d := editDistance(name, text); d != editDistance(text, name) || (d == 0) != (name == text) || d > max(len(name), len(text)) {
			t.Errorf("%q to %q: %d", name, text, d)
		}
	})
}
