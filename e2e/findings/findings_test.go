package findings

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

// patience is how long the test waits for the collector: some five times what it takes on a machine
// that has nothing else to do.
const patience = 150 * time.Second

// TestTenLeaksAreTenFindings watches a service with ten leaks, and one more that a timer starts, and
// then its next version, in which one of them is repaired.
func TestTenLeaksAreTenFindings(t *testing.T) {
	t.Parallel()
	first, second := buildVersion(t), buildVersion(t, "-tags=repaired")
	require.NotEqual(t, first.name, second.name)
	want := leaks(t)
	address, folder := loopback.FreeAddress(t), t.TempDir()
	stop := start(t, first.executable, "-listen", address, "-for", "10m")
	stopCollector := startCollector(t, address, folder)
	told := newRecord(folder+"/logs.json", folder+"/metrics.json")

	ids := awaitFindings(t, told, want)
	stacks := stacksOf(t, address)
	for name, l := range want {
		t.Run(name, func(t *testing.T) {
			checkFinding(t, told.findings()[ids[name]], l, first.name, stacks)
			checkOrigin(t, told.events, l)
		})
	}

	deployed, before := time.Now(), len(told.events)
	stop()
	start(t, second.executable, "-listen", address, "-for", "10m")
	awaitClosing(t, told, ids, want, deployed)
	for name := range want {
		t.Run(name+" after the deploy", func(t *testing.T) {
			checkLife(t, told.changes(ids[name], before), told.findings()[ids[name]], name == repairedLeak, second.name)
		})
	}
	assert.Len(t, told.findings(), len(want), "nothing else is found")
	checkReadme(t, stopCollector(), want["dependency"], told.findings()[ids[repairedLeak]].body)
}

// await waits until nothing is missing any more.
func await(t *testing.T, told *record, missing func() string) {
	t.Helper()
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	begin, last := time.Now(), ""
	for deadline := begin.Add(patience); time.Now().Before(deadline); <-again.C {
		told.update(t)
		if last = missing(); last == "" {
			t.Logf("after %v", time.Since(begin).Round(time.Second))
			return
		}
	}
	require.Failf(t, "not everything is told", "within %v: %s", patience, last)
}

// awaitFindings waits until each leak is a finding that is probable and explained, and returns the IDs.
func awaitFindings(t *testing.T, told *record, want map[string]*leak) map[string]string {
	t.Helper()
	ids := make(map[string]string)
	await(t, told, func() string {
		for id, e := range told.findings() {
			for name, l := range want {
				if e.text("goroutine.leak.certainty") == "probable" && e.text("goroutine.creator.type") != "" && e.place() == l.place() {
					ids[name] = id
				}
			}
		}
		for name := range want {
			if ids[name] == "" {
				return "nothing is found, or explained, of " + name
			}
		}
		return ""
	})
	assert.Len(t, told.findings(), len(want), "a finding for each leak, and no more")
	return ids
}

// checkFinding compares an event with what is known of a leak.
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
	assert.Equal(t, l.own, e.line("goroutine.creator.own"), "line of the service that starts them")
	if l.own == "" {
		assert.Equal(t, "timer", e.text("goroutine.creator.type"))
		assert.Empty(t, e.line("goroutine.creator"), "a timer has no go statement")
		assert.Contains(t, e.body, ", started by a timer,")
		return
	}
	assert.Equal(t, "go", e.text("goroutine.creator.type"))
	created := createdBy(stacks, l)
	require.NotEmpty(t, created, "debug=2 shows none of them")
	statement := e.text("goroutine.creator.function.name") + " " + e.text("goroutine.creator.file.path") + ":" + e.text("goroutine.creator.line.number")
	assert.Equal(t, map[string]bool{statement: true}, created, "go statement as debug=2 has it")
}

// checkOrigin sees that a log record tells where a leak comes from, with the whole stack.
func checkOrigin(t *testing.T, events []event, l *leak) {
	t.Helper()
	for _, e := range events {
		if e.name != "goroutine.origin" || e.place() != l.place() || e.text("goroutine.origin.caught") != "leaked_birth" {
			continue
		}
		trace := e.text("code.stacktrace")
		if l.own != "" {
			assert.Contains(t, trace, "created by, ")
			assert.Contains(t, trace, "/"+l.own+"\n", "the line of the service")
			assert.Contains(t, trace, "main.handle(...)\n\t", "its caller")
		}
		if l.waker != "" {
			assert.Contains(t, trace, "woken by, ")
			assert.Contains(t, trace, "/"+l.waker+"\n")
		}
		return
	}
	assert.Fail(t, "no log record tells where they come from")
}

// awaitClosing waits until a version has closed the finding that it repairs, and has shown all others.
func awaitClosing(t *testing.T, told *record, ids map[string]string, want map[string]*leak, deployed time.Time) {
	t.Helper()
	await(t, told, func() string {
		for name, l := range want {
			if name != repairedLeak && !told.flaggedAgain(l.place(), deployed) {
				return name + " is not flagged after the deploy"
			}
		}
		if !slices.Contains(told.changes(ids[repairedLeak], 0), closedByVersion) {
			return repairedLeak + " is not closed"
		}
		return ""
	})
}

const closedByVersion = "closed_by_version"

// checkLife compares the changes of a finding since a deploy: none, unless the version has closed it.
func checkLife(t *testing.T, changes []string, latest event, repaired bool, version string) {
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
