package findings

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

// patience is how long the test waits for the collector: about five times as long as an idle machine takes.
const patience = 150 * time.Second

// TestTenLeaksAreTenFindings watches a service with ten leaks and another whose goroutines a timer starts,
// and then its next version, in which one of them is repaired.
func TestTenLeaksAreTenFindings(t *testing.T) {
	t.Parallel()
	first, second := buildVersion(t), buildVersion(t, "-tags=repaired")
	require.NotEqual(t, first.name, second.name)
	want := leaks(t)
	address, folder := loopback.FreeAddress(t), t.TempDir()
	stop := start(t, first.executable, "-listen", address, "-for", "10m")
	stopCollector := startCollector(t, address, folder)
	r := newRecord(folder+"/logs.json", folder+"/metrics.json")

	ids := awaitFindings(t, r, want)
	stacks := stacksOf(t, address)
	for name, l := range want {
		t.Run(name, func(t *testing.T) {
			checkFinding(t, r.findings()[ids[name]], l, first.name, stacks)
			checkOrigin(t, r.events, l)
		})
	}

	deployed, before := time.Now(), len(r.events)
	stop()
	start(t, second.executable, "-listen", address, "-for", "10m")
	awaitClosing(t, r, ids, want, deployed)
	for name := range want {
		t.Run(name+" after the deploy", func(t *testing.T) {
			checkChanges(t, r.changes(ids[name], before), r.findings()[ids[name]], name == repairedLeak, second.name)
		})
	}
	assert.Len(t, r.findings(), len(want), "findings")
	checkReadme(t, stopCollector(), want["dependency"], r.findings()[ids[repairedLeak]].body)
}

// await waits until missing returns an empty string.
func await(t *testing.T, r *record, missing func() string) {
	t.Helper()
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	begin, last := time.Now(), ""
	for deadline := begin.Add(patience); time.Now().Before(deadline); <-again.C {
		r.update(t)
		if last = missing(); last == "" {
			t.Logf("after %v", time.Since(begin).Round(time.Second))
			return
		}
	}
	require.Failf(t, "something is missing", "within %v: %s", patience, last)
}

// awaitFindings waits until each leak has a probable finding, and a log record with its origin, and returns the IDs of
// the findings.
func awaitFindings(t *testing.T, r *record, want map[string]*leak) map[string]string {
	t.Helper()
	ids := make(map[string]string)
	await(t, r, func() string {
		for id, e := range r.findings() {
			for name, l := range want {
				if e.text("goroutine.leak.certainty") == "probable" && e.text("goroutine.creator.type") != "" && e.place() == l.place() {
					ids[name] = id
				}
			}
		}
		for name, l := range want {
			if ids[name] == "" {
				return name + " has no probable finding with an origin"
			}
			if _, found := originOf(r.events, l); !found {
				return name + " has no log record with its origin"
			}
		}
		return ""
	})
	assert.Len(t, r.findings(), len(want), "one finding for each leak")
	return ids
}

// checkFinding compares an event with the expected leak.
func checkFinding(t *testing.T, e event, l *leak, version string, stacks []goroutine) {
	t.Helper()
	t.Log(e.body)
	assert.Equal(t, []string{l.state, l.class, version, version}, []string{
		e.text("goroutine.state"), e.text("goroutine.leak.class"),
		e.text("goroutine.leak.version.first"), e.text("goroutine.leak.version.last"),
	}, "state, class, first and last version")
	assert.Contains(t, e.body, ", in version "+version)
	if l.module != "" {
		assert.Contains(t, e.body, " at "+l.waits+" in "+l.module+",")
	}
	assert.Equal(t, l.waker, e.line("goroutine.waker"), "waker")
	if waiting := "waiting for"; l.waker == "" {
		assert.NotContains(t, e.body, waiting)
	} else {
		assert.Contains(t, e.body, waiting)
	}
	assert.Equal(t, l.own, e.line("goroutine.creator.own"), "line of the service that starts the goroutines")
	if l.own == "" {
		assert.Equal(t, "timer", e.text("goroutine.creator.type"))
		assert.Empty(t, e.line("goroutine.creator"), "a timer has no go statement")
		assert.Contains(t, e.body, ", started by a timer,")
		return
	}
	assert.Equal(t, "go", e.text("goroutine.creator.type"))
	created := createdBy(stacks, l)
	require.NotEmpty(t, created, "goroutines of the leak in debug=2")
	statement := e.text("goroutine.creator.function.name") + " " + e.text("goroutine.creator.file.path") + ":" + e.text("goroutine.creator.line.number")
	assert.Equal(t, map[string]bool{statement: true}, created, "go statements in debug=2")
}

// originOf returns the log record with the stacks of creator and waker of a leak, from the birth of a leaked goroutine.
func originOf(events []event, l *leak) (event, bool) {
	i := slices.IndexFunc(events, func(e event) bool {
		return e.name == "goroutine.origin" && e.place() == l.place() && e.text("goroutine.origin.caught") == "leaked_birth"
	})
	if i < 0 {
		return event{}, false
	}
	return events[i], true
}

// checkOrigin checks the log record with the stacks of creator and waker of a leak.
func checkOrigin(t *testing.T, events []event, l *leak) {
	t.Helper()
	e, found := originOf(events, l)
	require.True(t, found, "there is no log record with the origin")
	trace := e.text("code.stacktrace")
	if l.own != "" {
		assert.Contains(t, trace, "created by, ")
		assert.Contains(t, trace, "/"+l.own+"\n", "line of the service")
		assert.Contains(t, trace, "main.handle(...)\n\t", "its caller")
	}
	if l.waker != "" {
		assert.Contains(t, trace, "woken by, ")
		assert.Contains(t, trace, "/"+l.waker+"\n")
	}
}

// awaitClosing waits until the repaired leak is closed, and all others are flagged again.
func awaitClosing(t *testing.T, r *record, ids map[string]string, want map[string]*leak, deployed time.Time) {
	t.Helper()
	await(t, r, func() string {
		for name, l := range want {
			if name != repairedLeak && !r.flaggedAgain(l.place(), deployed) {
				return name + " is not flagged after the deploy"
			}
		}
		if !slices.Contains(r.changes(ids[repairedLeak], 0), closedByVersion) {
			return repairedLeak + " is not closed"
		}
		return ""
	})
}

const closedByVersion = "closed_by_version"

// checkChanges checks the changes of a finding since a deploy: none, unless the version has closed it.
func checkChanges(t *testing.T, changes []string, latest event, repaired bool, version string) {
	t.Helper()
	if !repaired {
		assert.Empty(t, changes)
		return
	}
	assert.Equal(t, []string{closedByVersion}, changes)
	t.Log(latest.body)
	assert.Equal(t, version, latest.text("goroutine.leak.version.closed_by"))
	assert.Contains(t, latest.body, "leak closed by version "+version+": ")
}
