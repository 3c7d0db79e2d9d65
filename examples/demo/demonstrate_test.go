package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// flagged returns a metrics page on which the entries are flagged.
func flagged(entries ...string) string {
	var b strings.Builder
	fmt.Fprintln(&b, "goroutine_scrape_up 1")
	fmt.Fprintln(&b, `goroutine_scrape_duration_seconds{goroutine_scrape_source="profile"} 0.01`)
	for _, e := range entries {
		fmt.Fprintf(&b, "goroutine_leak_severity{goroutine_entry_function_name=%q} 1\n", e)
	}
	return b.String()
}

func allPlanted() (functions []string) {
	for _, p := range plantedLeaks() {
		functions = append(functions, p.function)
	}
	return functions
}

// stage is a demonstration whose service and collector are played by this binary.
type stage struct {
	env            []string
	stdout, stderr bytes.Buffer
}

func newStage(t *testing.T, role, page, seconds string) *stage {
	t.Helper()
	t.Setenv(roleVariable, role)
	t.Setenv(pageVariable, page)
	// A program with the race detector otherwise lingers for a second.
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	s := &stage{env: []string{secondsVariable + "=" + seconds}}
	for _, v := range []string{pprofVariable, metricsVariable, zpagesVariable, healthVariable} {
		s.env = append(s.env, v+"="+strconv.Itoa(freePort(t)))
	}
	return s
}

func (s *stage) play(ctx context.Context) (status int) {
	args := []string{"-collector", os.Args[0], "-service", os.Args[0], "-config", "collector.yaml"}
	return demonstrate(ctx, args, environment(s.env...), &screen{out: &s.stdout}, &s.stderr)
}

// over checks how a demonstration ended, and that nothing listens any more.
func (s *stage) over(t *testing.T, status, wanted int, said ...string) {
	t.Helper()
	text := s.stdout.String() + s.stderr.String()
	if status != wanted {
		t.Errorf("status %d, not %d", status, wanted)
	}
	for _, line := range said {
		if !strings.Contains(text, line) {
			t.Errorf("it does not say %q", line)
		}
	}
	settings, err := readSettings(environment(s.env...))
	if err != nil {
		t.Fatal(err)
	}
	if err := checkFree(settings.ports); err != nil {
		t.Errorf("something was left behind: %v", err)
	}
	if t.Failed() {
		t.Logf("it says:\n%s", text)
	}
}

func TestEverythingFound(t *testing.T) {
	s := newStage(t, "service and collector", flagged(allPlanted()...), "1")
	status := s.play(t.Context())
	s.over(t, status, statusOK,
		"The collector reads counts only",
		" 0 s  suspected: main.pollForever (entry)",
		"SEVERITY ",
	)
	if !strings.HasSuffix(s.stdout.String(), "\n4 of 4 planted leaks found, nothing healthy flagged\n") {
		t.Errorf("last words: %q", s.stdout.String())
	}
}

func TestLeaksMissed(t *testing.T) {
	s := newStage(t, "service and collector", flagged(allPlanted()[1:]...), "1")
	status := s.play(t.Context())
	s.over(t, status, statusFailed, "not found: main.waitForReply", "3 of 4 planted leaks found, nothing healthy flagged")
}

func TestHealthyFlagged(t *testing.T) {
	s := newStage(t, "service and collector", flagged(append(allPlanted(), "main.holdSession")...), "1")
	status := s.play(t.Context())
	s.over(t, status, statusFailed, "healthy, but flagged: suspected: main.holdSession (entry)", "4 of 4 planted leaks found, 1 healthy flagged")
}

func TestCollectorDies(t *testing.T) {
	s := newStage(t, "dying collector", "", "60")
	status := s.play(t.Context())
	s.over(t, status, statusFailed, "the collector", "has ended by itself (exit status 3)", "\n  Error: cannot find the configuration")
}

func TestProgramMissing(t *testing.T) {
	s := newStage(t, "service and collector", "", "60")
	status := demonstrate(t.Context(), []string{"-service", "./missing"}, environment(s.env...), &screen{out: &s.stdout}, &s.stderr)
	s.over(t, status, statusFailed, "cannot start the service ./missing", "make demo-collector builds it")
}

// interrupted plays until the collector's page has been read, and then
// interrupts.
func (s *stage) interrupted(t *testing.T) (status int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() { ended <- s.play(ctx) }()
	settings, err := readSettings(environment(s.env...))
	if err != nil {
		t.Fatal(err)
	}
	asked := false
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	client := newClient()
	defer client.CloseIdleConnections()
	for !asked {
		select {
		case status := <-ended:
			t.Fatalf("it ended by itself, with %d: %s", status, &s.stderr)
		case <-look.C:
			asked = ask(t.Context(), client, "http://"+settings.address(healthVariable)+"/watched") == nil
		}
	}
	cancel()
	return <-ended
}

func TestInterruptedWithEverythingFound(t *testing.T) {
	s := newStage(t, "service and collector", flagged(allPlanted()...), "600")
	s.over(t, s.interrupted(t), statusOK, "Interrupted.", "4 of 4 planted leaks found")
}

func TestInterruptedTooEarly(t *testing.T) {
	s := newStage(t, "service and collector", flagged(allPlanted()[:1]...), "600")
	s.over(t, s.interrupted(t), statusInterrupted, "Interrupted.", "1 of 4 planted leaks found")
}

func TestInterruptedWithHealthyFlagged(t *testing.T) {
	s := newStage(t, "service and collector", flagged("main.beat"), "600")
	s.over(t, s.interrupted(t), statusFailed, "Interrupted.", "main.beat")
}

func TestWrongInvocation(t *testing.T) {
	for _, tc := range []struct {
		name, told string
		args, env  []string
	}{
		{"flag", "-colector", []string{"-colector", "x"}, nil},
		{"argument", `"x"`, []string{"x"}, nil},
		{"variable", "DEMO_CAPTURE", nil, []string{"DEMO_CAPTURE=x"}},
	} {
		var stderr bytes.Buffer
		status := demonstrate(t.Context(), tc.args, environment(tc.env...), &screen{out: &stderr}, &stderr)
		if status != statusUsage || !strings.Contains(stderr.String(), tc.told) {
			t.Errorf("%s: status %d, %s", tc.name, status, &stderr)
		}
	}
}

func TestReadyTakesTooLong(t *testing.T) {
	client, url := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	address, here := reports(t)
	c := startRole(t, "reporter", reportVariable+"="+address)
	here()
	err := awaitReady(t.Context(), client, c, url, 10*time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "the reporter is not ready after 10ms") || !strings.Contains(err.Error(), "503") {
		t.Errorf("got %v", err)
	}
}

func TestWatchGivesUpOnAPageThatCannotBeRead(t *testing.T) {
	client, url := serve(t, http.NotFound)
	w := &watcher{client: client, url: url, screen: &screen{out: &bytes.Buffer{}}, seen: make(tally)}
	for i := range maxFailures {
		err := w.look(t.Context(), 0)
		if gaveUp := err != nil; gaveUp != (i == maxFailures-1) {
			t.Errorf("failure %d: %v", i+1, err)
		}
	}
}

func TestSettled(t *testing.T) {
	const settle = 20 * time.Second
	all := []finding{stuck("main.a", probable), looping("main.b", suspected)}
	for _, tc := range []struct {
		name     string
		findings map[time.Duration][]finding // by when they are flagged
		settle   time.Duration
		elapsed  time.Duration
		settled  bool
	}{
		{"all, and long ago", map[time.Duration][]finding{time.Second: all}, settle, 21 * time.Second, true},
		{"all, but not for long", map[time.Duration][]finding{time.Second: all}, settle, 20 * time.Second, false},
		{"one came later", map[time.Duration][]finding{time.Second: all[:1], 9 * time.Second: all[1:]}, settle, 28 * time.Second, false},
		{"one rose later", map[time.Duration][]finding{time.Second: all, 9 * time.Second: {looping("main.b", probable)}}, settle, 28 * time.Second, false},
		{"one is missing", map[time.Duration][]finding{time.Second: all[:1]}, settle, time.Minute, false},
		{"a healthy one", map[time.Duration][]finding{time.Second: append(all, stuck("main.c", suspected))}, settle, time.Minute, false},
		{"a time was chosen", map[time.Duration][]finding{time.Second: all}, 0, time.Minute, false},
	} {
		w := &watcher{
			screen:   &screen{out: &bytes.Buffer{}},
			expected: []planted{{"main.a", "first"}, {"main.b", "second"}},
			seen:     make(tally),
		}
		for _, at := range slices.Sorted(maps.Keys(tc.findings)) {
			w.take(reading{findings: tc.findings[at]}, at)
		}
		if settled := w.settled(tc.elapsed, tc.settle); settled != tc.settled {
			t.Errorf("%s: %v", tc.name, settled)
		}
	}
}
