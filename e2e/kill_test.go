package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

// What the service says of itself is judged, so that its census does not end with the
// collector. No more than ten leaks are looked at, since more than that in one batch are
// not logged one by one.
const killed = `
extensions:
  atomic_file_storage:
    directory: %[3]s

receivers:
  otlp:
    protocols:
      http:
        endpoint: %[1]s

processors:
  filter/some:
    error_mode: ignore
    metrics:
      datapoint:
        - not IsMatch(attributes["code.function.name"], "examples/leaks/(%[4]s)\\.")
  leak_detect:
    min_duration: 15s
    max_lifetime: 1m
    storage: atomic_file_storage
  filter/flags:
    metrics:
      metric:
        - name != "goroutine.leak.severity"

exporters:
  file:
    path: %[2]s
    flush_interval: 100ms

service:
  extensions: [atomic_file_storage]
  pipelines:
    metrics:
      receivers: [otlp]
      processors: [filter/some, leak_detect, filter/flags]
      exporters: [file]
  telemetry:
    metrics:
      level: none
    logs:
      encoding: json
      sampling:
        enabled: false
`

// What is logged.
const (
	started      = "Everything is ready"
	remembered   = "Restored the saved state"
	leakProbable = "Leak probable"
)

// killedService is the name under which the service reports.
const killedService = "killed"

// patternsToKill are the leaks that are looked at, a few that wait in different ways. None
// waits for a peer: that is believed later than this test lasts.
func patternsToKill() []string {
	return []string{
		"sendwithoutreceiver", "receivewithoutsender", "rangeneverclosed", "selectwithoutdone",
		"forgottencancel", "waitgroupmiscounted", "mutexneverunlocked", "condneversignalled",
	}
}

const (
	// The collector is killed at a random moment while it starts, and in every other
	// life at one after it did, each within that time.
	whileItStarts  = 2 * time.Second
	afterItStarted = 3 * time.Second
	// A leak may seem to slow down by chance when it could first be found. Of 3,000 simulated ones of this pace
	// 0.6% were found after more than 90 s, and 0.03% after more than 150 s; there are eight.
	patience = 150 * time.Second
	// mostLives bounds the test if no leak is ever logged, or no life says anything.
	mostLives = 100
)

// killings returns how many lives are killed at least after the first leak was logged, and
// in how many of those more than one batch must have come through. In all others the test
// sees nothing, so there are more lives until that many have said something.
func killings() (lives, leastChecked int) {
	if *long {
		return 50, 16
	}
	return 15, 5
}

// TestKilledAgainAndAgain kills the collector while it finds leaks. What it has logged of
// a leak it has kept: every later life flags it at once, and none logs it again. What it
// had not kept yet it finds again, and logs it then.
func TestKilledAgainAndAgain(t *testing.T) {
	t.Parallel()
	lives, leastChecked := killings()
	k := newKilling(t)
	for remaining := lives; (remaining > 0 || k.checked < leastChecked) && k.begun < mostLives; {
		if len(k.announced) > 0 {
			remaining--
		}
		l := k.start(t)
		within := whileItStarts
		if l.number%2 != 0 {
			l.awaitLog(t, started)
			within = afterItStarted
		}
		l.await(t, time.Duration(k.random.Int64N(int64(within))))
		l.kill(t)
	}
	last := k.start(t)
	last.awaitLog(t, started)
	last.awaitFindings(t)
	last.end(t)
	for place := range k.wanted {
		assert.EqualValues(t, 2, last.found[killedService][place], "severity of %+v at the end", place)
		assert.Len(t, k.announced[place], 1, "%+v is logged once, in which lives", place)
	}
	assert.Len(t, k.announced, len(k.wanted), "nothing else is logged")
	assert.GreaterOrEqual(t, k.checked, leastChecked)
	t.Logf("%d lives were checked; logged in lives: %v", k.checked, k.announced)
}

// killing is a service that leaks, and the lives of the collector that watches it.
type killing struct {
	folder, otlp string
	random       *rand.Rand
	wanted       map[place]bool
	begun        int
	checked      int // lives in which all that was logged before had to be flagged
	// announced has in which lives a leak was logged as probable.
	announced map[place][]int
}

func newKilling(t *testing.T) *killing {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	k := &killing{
		folder:    t.TempDir(),
		otlp:      loopback.FreeAddress(t),
		random:    rand.New(rand.NewPCG(seed, 0)),
		wanted:    make(map[place]bool),
		announced: make(map[place][]int),
	}
	for _, l := range leaks() {
		for _, pattern := range patternsToKill() {
			if l.pattern == pattern {
				k.wanted[l.place(t)] = true
			}
		}
	}
	run(t, []string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + k.otlp,
		"OTEL_METRIC_EXPORT_INTERVAL=500",
		"OTEL_SERVICE_NAME=" + killedService,
		"OTEL_GO_GOROUTINE_INTERVAL=1s",
		"OTEL_GO_GOROUTINE_AGED_AFTER=5s",
		"OTEL_GO_GOROUTINE_OVERHEAD_BUDGET=0.1",
	}, buildLeaks(t), "-listen", loopback.FreeAddress(t), "-every", "700ms", "-for", "5m")
	return k
}

// life is one of a collector.
type life struct {
	*killing
	findings
	number  int
	log     string // path
	process *exec.Cmd
	exited  chan error
}

func (k *killing) start(t *testing.T) *life {
	t.Helper()
	k.begun++
	base := filepath.Join(k.folder, "life-"+strconv.Itoa(k.begun))
	l := &life{
		killing:  k,
		findings: findings{path: base + ".json", found: make(map[string]map[place]int64)},
		number:   k.begun,
		log:      base + ".log",
		exited:   make(chan error, 1),
	}
	config := fmt.Appendf(nil, killed, k.otlp, l.path, k.folder, strings.Join(patternsToKill(), "|"))
	require.NoError(t, os.WriteFile(base+".yaml", config, 0o600))
	log, err := os.Create(l.log)
	require.NoError(t, err)
	defer func() { require.NoError(t, log.Close()) }()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	l.process = exec.CommandContext(ctx, collector, "--config", base+".yaml")
	l.process.Stdout, l.process.Stderr = log, log
	require.NoError(t, l.process.Start())
	go func() { l.exited <- l.process.Wait() }()
	return l
}

// await lets the collector live for a while, which it must do.
func (l *life) await(t *testing.T, long time.Duration) {
	t.Helper()
	select {
	case err := <-l.exited:
		t.Fatalf("life %d ended by itself: %v\n%s", l.number, err, l.logged(t))
	case <-time.After(long):
	}
}

// awaitLog lets the collector live until it has logged something.
func (l *life) awaitLog(t *testing.T, text string) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		l.await(t, 20*time.Millisecond)
		if bytes.Contains(l.logged(t), []byte(text)) {
			return
		}
	}
	t.Fatalf("life %d does not say %q:\n%s", l.number, text, l.logged(t))
}

// awaitFindings lets the collector live until all leaks are flagged.
func (l *life) awaitFindings(t *testing.T) {
	t.Helper()
	flagged := func() bool {
		l.update(t)
		for place := range l.wanted {
			if l.found[killedService][place] < 2 {
				return false
			}
		}
		return true
	}
	for deadline := time.Now().Add(patience); !flagged() && time.Now().Before(deadline); {
		l.await(t, 100*time.Millisecond)
	}
}

// kill kills the collector and looks at what came of its life.
func (l *life) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, l.process.Process.Kill())
	l.examine(t, syscall.SIGKILL)
}

// end has the collector shut down.
func (l *life) end(t *testing.T) {
	t.Helper()
	require.NoError(t, l.process.Process.Signal(syscall.SIGTERM))
	l.examine(t, 0)
}

// examine waits for the end, looks at the log and at what was flagged.
func (l *life) examine(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := <-l.exited; err != nil {
		require.ErrorAs(t, err, new(*exec.ExitError))
	}
	if signal == 0 {
		require.Zero(t, l.process.ProcessState.ExitCode(), l.logged(t))
	} else {
		require.Equal(t, signal, l.process.ProcessState.Sys().(syscall.WaitStatus).Signal())
	}
	log := string(l.logged(t))
	assert.NotContains(t, log, "is not saved over a restart", "life %d", l.number)
	if len(l.announced) > 0 && strings.Contains(log, started) {
		assert.Contains(t, log, remembered, "life %d", l.number)
		l.remembers(t)
	}
	for _, place := range l.announcements(t) {
		l.announced[place] = append(l.announced[place], l.number)
	}
}

// remembers sees that all leaks are flagged that were logged before, if data came through
// at all. In so short a life none could be found anew.
func (l *life) remembers(t *testing.T) {
	t.Helper()
	l.update(t)
	written, err := os.ReadFile(l.path)
	if err != nil || bytes.Count(written, []byte("\n")) < 2 {
		return
	}
	l.checked++
	for place := range l.announced {
		assert.EqualValues(t, 2, l.found[killedService][place], "life %d: severity of %+v", l.number, place)
	}
}

func (l *life) logged(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile(l.log)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	require.NoError(t, err)
	return data
}

// announcements returns the leaks that are logged as probable.
func (l *life) announcements(t *testing.T) []place {
	t.Helper()
	var places []place
	for text := range bytes.Lines(l.logged(t)) {
		var entry struct {
			Message  string `json:"msg"`
			State    string `json:"goroutine.state"`
			Function string `json:"code.function.name"`
			File     string `json:"code.file.path"`
			Line     string `json:"code.line.number"`
		}
		if json.Unmarshal(text, &entry) != nil || entry.Message != leakProbable {
			continue // also what is not yet whole
		}
		number, err := strconv.ParseInt(entry.Line, 10, 64)
		require.NoError(t, err)
		places = append(places, place{entry.State, entry.Function, shortPath(entry.File), number})
	}
	return places
}
