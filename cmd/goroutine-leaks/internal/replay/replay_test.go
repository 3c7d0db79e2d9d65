package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// fakePrometheus serves series.
type fakePrometheus struct {
	now        time.Time
	series     []Series
	maxSamples int // of a response, 0 if unlimited
	requests   int
}

func (p *fakePrometheus) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query, at := r.FormValue("query"), p.now
	if text := r.FormValue("time"); text != "" {
		seconds, err := strconv.ParseFloat(text, 64)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		at = time.UnixMilli(int64(seconds * 1000))
	}
	if query == "time()" {
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"scalar","result":[%d,"%d"]}}`, p.now.Unix(), p.now.Unix())
		return
	}
	p.requests++
	_, text, found := strings.Cut(query, "}[")
	milliseconds, err := strconv.Atoi(strings.TrimSuffix(text, "ms]"))
	if !found || err != nil {
		http.Error(w, "not a range selector: "+query, http.StatusBadRequest)
		return
	}
	from, n := at.Add(-time.Duration(milliseconds)*time.Millisecond), 0
	var result []string
	for _, s := range p.series {
		var values []string
		for _, sample := range s.Samples {
			if !sample.At.Before(from) && !sample.At.After(at) { // both ends, as before Prometheus 3
				values = append(values, fmt.Sprintf(`[%.3f,"%v"]`, float64(sample.At.UnixMilli())/1000, sample.Value))
			}
		}
		n += len(values)
		if len(values) > 0 {
			labels, err := json.Marshal(s.Labels)
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			result = append(result, fmt.Sprintf(`{"metric":%s,"values":[%s]}`, labels, strings.Join(values, ",")))
		}
	}
	if p.maxSamples > 0 && n > p.maxSamples {
		w.WriteHeader(http.StatusUnprocessableEntity)
		fmt.Fprint(w, `{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"}`)
		return
	}
	fmt.Fprintf(w, `{"status":"success","data":{"resultType":"matrix","result":[%s]}}`, strings.Join(result, ","))
}

var now = time.Date(2026, 11, 26, 3, 0, 0, 0, time.UTC)

// newSeries returns a series that was scraped once a minute in the last hours.
func newSeries(hours int, value func(minute int) float64, labels ...string) Series {
	s := Series{Labels: map[string]string{"job": "shop", "instance": "shop:1"}}
	for i := 0; i < len(labels); i += 2 {
		s.Labels[labels[i]] = labels[i+1]
	}
	for minute := range hours * 60 {
		s.Samples = append(s.Samples, Sample{now.Add(time.Duration(minute-hours*60) * time.Minute), value(minute)})
	}
	return s
}

// leakSeries returns the series of a group that leaks one goroutine a minute, as the receiver sends
// them.
func leakSeries(hours int) []Series {
	group := []string{
		"goroutine_stack_signature", "0123456789abcdef", "goroutine_state", "chan_send", "code_function_name", "shop.ask",
		"code_file_path", "/src/order.go", "code_line_number", "88", "goroutine_entry_function_name", "shop.serve", "service_name", "shop",
	}
	series := func(name string, value func(int) float64, labels ...string) Series {
		return newSeries(hours, value, append(append([]string{"__name__", name}, group...), labels...)...)
	}
	bounds := []int{10, 80, 320, 640, 1 << 30} // minutes
	all := []Series{
		series("goroutine_stack_count", func(m int) float64 { return float64(m) }),
		series("goroutine_stack_aged_exits_total", func(int) float64 { return 0 }, "goroutine_age_min", "600"),
	}
	for i, bound := range bounds[:4] {
		all = append(all, series("goroutine_stack_aged_count", func(m int) float64 {
			return float64(max(0, m-bound) - max(0, m-bounds[i+1]))
		}, "goroutine_age_min", strconv.Itoa(bound*60)))
	}
	return all
}

func run(t *testing.T, p *fakePrometheus, o Options) (*Result, error) {
	t.Helper()
	server := httptest.NewServer(p)
	defer server.Close()
	client := server.Client()
	defer client.CloseIdleConnections()
	address, err := ParseAddress(server.URL + "/graph?g0.expr=up")
	if err != nil {
		t.Fatal(err)
	}
	if o.Since == 0 {
		o.Since = 36 * time.Hour
	}
	o.Thresholds, o.Ignore, o.Progress = judge.Defaults(), func(judge.Sample) bool { return false }, func(time.Time) {}
	return Run(t.Context(), NewPrometheus(address, client, nil), o)
}

// TestCensus checks that a leak is flagged when the processor would have flagged it: 110 minutes
// after it began.
func TestCensus(t *testing.T) {
	r, err := run(t, &fakePrometheus{now: now, series: leakSeries(4)}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var probable time.Duration
	for _, c := range r.Ordered() {
		if c.Finding.Severity == finding.Probable && probable == 0 {
			probable = c.At.Sub(now.Add(-4 * time.Hour))
			if c.Finding.Head.Line != 88 || c.Finding.Service.Name != "shop" {
				t.Errorf("%+v", c.Finding)
			}
		}
	}
	if probable < 100*time.Minute || probable > 130*time.Minute {
		t.Errorf("probable after %v", probable)
	}
	if r.PlainOnly || r.Processes != 1 || r.Series != 6 {
		t.Errorf("%+v", r)
	}
}

// TestPlainCounts checks that a leak is suspected after about 19 hours of goroutine counts, and a
// constant count is not. A metric has the start time of the process.
func TestPlainCounts(t *testing.T) {
	leaks := newSeries(30, func(m int) float64 { return 50 + float64(m)/2 }, "__name__", "go_goroutines")
	healthy := newSeries(30, func(m int) float64 { return 50 + float64(m%7) }, "__name__", "go_goroutines", "instance", "shop:2")
	start := newSeries(30, func(int) float64 { return float64(now.Add(-31 * time.Hour).Unix()) }, "__name__", "process_start_time_seconds")
	r, err := run(t, &fakePrometheus{now: now, series: []Series{leaks, healthy, start}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Changes) == 0 || r.Changes[0].Finding.Severity != finding.Suspected || !r.PlainOnly || r.Processes != 2 {
		t.Fatalf("%+v", r)
	}
	if after := r.Changes[0].At.Sub(now.Add(-30 * time.Hour)); after < 10*time.Hour || after > 22*time.Hour {
		t.Errorf("suspected after %v", after)
	}
	for _, f := range r.Findings {
		for _, each := range f.Worst {
			if each.Name == "shop:2" {
				t.Errorf("%+v", f)
			}
		}
	}
}

// TestWindows checks that windows shrink to the limit of the server, and that a sample in two
// windows counts once.
func TestWindows(t *testing.T) {
	whole, err := run(t, &fakePrometheus{now: now, series: leakSeries(4)}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	small := &fakePrometheus{now: now, series: leakSeries(4), maxSamples: 200}
	parts, err := run(t, small, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if small.requests < 15 || parts.Samples != whole.Samples || parts.Samples != 6*4*60 || len(parts.Changes) != len(whole.Changes) {
		t.Errorf("%d samples in %d windows, %d in whole; %d changes, and %d", parts.Samples, small.requests, whole.Samples, len(parts.Changes), len(whole.Changes))
	}
}

// TestWrongClock checks that times are the server's.
func TestWrongClock(t *testing.T) {
	r, err := run(t, &fakePrometheus{now: now, series: leakSeries(4)}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !r.To.Equal(now) || len(r.Changes) == 0 || r.Skew.Abs() > 100*365*24*time.Hour {
		t.Errorf("%v, skew %v", r.To, r.Skew)
	}
	if skew := time.Until(now) - r.Skew; skew.Abs() > time.Minute {
		t.Errorf("the skew is wrong by %v", skew)
	}
}

func TestNoData(t *testing.T) {
	if _, err := run(t, &fakePrometheus{now: now}, Options{Match: []string{`job="other"`}}); !errors.Is(err, ErrNoData) {
		t.Error(err)
	}
}

// TestErrorResponses checks the error messages for a server that refuses or is not a Prometheus.
func TestErrorResponses(t *testing.T) {
	for _, test := range []struct {
		code       int
		body, want string
	}{
		{200, "<html>login</html>", "not a response of the Prometheus API"},
		{200, "", "not a response of the Prometheus API"},
		{200, `{"status":"success","data":{"result":{"a":1}}}`, "not a response of the Prometheus API"},
		{200, `{"status":"success","data":{"result":[1e300,"1"]}}`, "invalid timestamp"},
		{200, `{"status":"success","data":{"result":[1,"many"]}}`, "not a response of the Prometheus API"},
		{401, "", "--token"},
		{404, "not found", "check that this is the URL of a Prometheus"},
		{400, `{"status":"error","error":"parse error: unexpected"}`, "parse error: unexpected"},
		{503, `{"status":"error","error":"` + strings.Repeat("x", 10_000) + `"}`, "503"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(test.code)
			fmt.Fprint(w, test.body)
		}))
		address, err := ParseAddress(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		_, err = NewPrometheus(address, server.Client(), nil).Clock(context.Background())
		if err == nil || !strings.Contains(err.Error(), test.want) || len(err.Error()) > 500 {
			t.Errorf("%d %.40q: %v", test.code, test.body, err)
		}
		server.Close()
	}
}

func TestParseAddress(t *testing.T) {
	for argument, want := range map[string]string{
		"prometheus:9090":                   "http://prometheus:9090",
		"https://h/prometheus/graph?g0=up#": "https://h/prometheus",
		"http://user:secret@h:1/":           "http://user:secret@h:1",
	} {
		u, err := ParseAddress(argument)
		if err != nil || u.String() != want {
			t.Errorf("%s is %v, %v", argument, u, err)
		}
	}
	for _, argument := range []string{"", "http://", "ftp://h", "http://user:secret@h:x"} {
		if _, err := ParseAddress(argument); !errors.Is(err, ErrAddress) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", argument, err)
		}
	}
}

func FuzzResponse(f *testing.F) {
	f.Add([]byte(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"go_goroutines"},"values":[[1435781430.781,"1"]]}]}}`))
	f.Add([]byte(`{"status":"success","data":{"result":[{"metric":{"__name__":"goroutine_stack_count","code_line_number":"-1","goroutine_age_min":"1e300"},"values":[[1,"NaN"],[2,"+Inf"]]}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		recorder := httptest.NewRecorder()
		recorder.Code = http.StatusOK
		recorder.Body.Write(body)
		response := recorder.Result()
		defer func() {
			if err := response.Body.Close(); err != nil {
				t.Fatal(err)
			}
		}()
		var all []Series
		if decode(response, &all) != nil {
			return
		}
		for _, s := range all {
			sample, known := sampleOf(s.Labels)
			if known && (sample.Place.Line < 0 || sample.Band < 0) {
				t.Fatalf("%+v", sample)
			}
		}
	})
}
