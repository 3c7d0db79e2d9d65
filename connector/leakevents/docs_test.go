package leakevents

import (
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otel-goroutine/otel-goroutine/internal/collector/readmetest"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
)

func TestReadmeHasEverySettingWithItsDefault(t *testing.T) {
	for field := range reflect.TypeFor[Config]().Fields() {
		key := field.Tag.Get("mapstructure")
		_, value, _ := strings.Cut(readmetest.Rows(t, key)[0], "` | ")
		value, _, _ = strings.Cut(value, " |")
		if value = strings.Trim(value, "`"); value == "" || strings.HasPrefix(value, "|") {
			assert.Equal(t, "storage", key)
			continue
		}
		got := &Config{}
		require.NoError(t, readmetest.Parse(t, key+": "+value).Unmarshal(got))
		assert.Equal(t, reflect.ValueOf(*defaultConfig()).FieldByName(field.Name).Interface(), reflect.ValueOf(*got).FieldByName(field.Name).Interface(), key)
	}
}

func TestReadmeExamplesAreValid(t *testing.T) {
	readmetest.CheckExamples(t, "connectors::leak_events", 2, NewFactory().CreateDefaultConfig)
}

// TestReadmeShowsRealEvents compares the sentences in README.md with those in the golden file.
func TestReadmeShowsRealEvents(t *testing.T) {
	_, block, _ := strings.Cut(readmetest.Text(t), "```\n")
	block, _, _ = strings.Cut(block, "```")
	events, err := os.ReadFile("testdata/events.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, block)
	for line := range strings.Lines(block) {
		assert.Contains(t, string(events), strings.TrimSpace(line))
	}
}

// everyFact returns a change with every fact that a leak can have.
func everyFact() finding.Change {
	at := time.Unix(1_780_000_000, 0)
	head := finding.Place{State: "select", Function: "y.f", File: "github.com/x/y@v1.2.3/f.go", Line: 7, Entry: "y.g", EntryFile: "g.go"}
	line := finding.Origin{
		Function: "main.f", File: "f.go", Line: 8, Share: 0.6, Own: true, Launch: "go",
		Statement: finding.Line{Function: "y.Go", File: "y.go", Line: 9}, Call: "context.WithCancel.func1",
	}
	return finding.Change{
		Kind: finding.Raised, At: at, Was: finding.Suspected, Text: "a sentence",
		Finding: finding.Finding{
			ID: "3e0e28e30f2a7cd8", Service: finding.Service{Name: "shop"}, Status: finding.Open, Severity: finding.Probable,
			Evidence: "a sentence", Head: head, Places: []finding.Place{head, {Entry: "main.poll", EntryFile: "poll.go"}},
			Class: mistake.CancelForgotten, Page: "docs/leaks/select.md", Creators: []finding.Origin{line}, Wakers: []finding.Origin{line},
			Count: 90, PerHour: 60, Age: time.Minute, Exits: 1, Instances: 2, Of: 3, Worst: []finding.Instance{{Name: "a", Version: "1", Count: 60}},
			Began: at, Detected: at, Latest: at, FirstVersion: "1", LastVersion: "2", Introduced: true, ClosedBy: "3", AtLatest: true, Missing: 9,
			Certain: time.Hour, Reason: finding.Left, Acquittal: "half of them leave",
			Memory: finding.Memory{PerGoroutine: 4096, Error: 100, Stack: 2048, Held: 9000},
			Limit:  finding.Limit{Kind: finding.LimitMemory, Value: 1e9, In: time.Hour, Instance: "a", Learned: true},
		},
	}
}

// TestEveryFactIsWritten checks that each field of a Finding is in one of its events, and that each
// attribute of an event is in the registry.
func TestEveryFactIsWritten(t *testing.T) {
	// Fields that are elsewhere in a record, or are not reported.
	elsewhere := map[string]string{
		"Evidence": "body", "InAll": "body", "Service": "resource", "Latest": "time stamp", "Status": "goroutine.leak.change",
		"Certain": "a waiting leak has no event",
	}
	filled := everyFact()
	written := make(map[string]bool)
	for _, change := range []func(*finding.Change){
		func(*finding.Change) {},
		func(c *finding.Change) { c.Kind = finding.ClosedByVersion },
		func(c *finding.Change) { c.Finding.Memory.AtLeast = true },
	} {
		c := filled
		change(&c)
		m := pcommon.NewMap()
		putChange(m, c, defaultRunbookURL)
		for key := range m.All() {
			written[key] = true
		}
	}

	page, err := os.ReadFile("../../docs/metrics.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(page), "`goroutine.leak`:")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	var registered []string
	for _, row := range strings.Split(section, "\n| `")[1:] {
		key, _, _ := strings.Cut(row, "`")
		registered = append(registered, key)
	}
	assert.ElementsMatch(t, registered, slices.Collect(maps.Keys(written)))

	for _, part := range []reflect.Value{reflect.ValueOf(&filled.Finding).Elem(), reflect.ValueOf(&filled.Finding.Memory).Elem(), reflect.ValueOf(&filled.Finding.Limit).Elem()} {
		for field, value := range part.Fields() {
			if elsewhere[field.Name] != "" || field.Name == "AtLeast" {
				continue
			}
			require.False(t, value.IsZero(), "%s: everyFact does not fill it", field.Name)
			before := attributesOfBoth(filled)
			kept := reflect.New(value.Type()).Elem()
			kept.Set(value)
			value.SetZero()
			assert.NotEqual(t, before, attributesOfBoth(filled), "%s is in no event", field.Name)
			value.Set(kept)
		}
	}
}

// attributesOfBoth returns the attributes of a change, and of the change that closes its leak.
func attributesOfBoth(c finding.Change) []map[string]any {
	var all []map[string]any
	for _, kind := range []finding.ChangeKind{finding.Raised, finding.ClosedByVersion} {
		c.Kind = kind
		m := pcommon.NewMap()
		putChange(m, c, defaultRunbookURL)
		all = append(all, m.AsRaw())
	}
	return all
}

func TestReadmeHasEveryChangeAndMetric(t *testing.T) {
	for _, kind := range []finding.ChangeKind{
		finding.Detected, finding.Raised, finding.Lowered, finding.Explained, finding.Ended, finding.ClosedByVersion, finding.Regressed,
	} {
		readmetest.Rows(t, string(kind))
	}
	readmetest.CheckTelemetry(t)
}

func TestConfigErrorsNameTheKey(t *testing.T) {
	for key, change := range map[string]func(*Config){
		"max_stale":     func(c *Config) { c.MaxStale = minMaxStale - 1 },
		"max_findings":  func(c *Config) { c.MaxFindings = 0 },
		"max_processes": func(c *Config) { c.MaxProcesses = -1 },
		"runbook_url":   func(c *Config) { c.RunbookURL = "docs/leaks" },

		"goroutine_limit":  func(c *Config) { c.GoroutineLimit = -1 },
		"memory_limit_mib": func(c *Config) { c.MemoryLimitMiB = maxMiB + 1 },
	} {
		c := defaultConfig()
		change(c)
		require.ErrorContains(t, c.Validate(), "'"+key+"'")
	}
	require.NoError(t, defaultConfig().Validate())
}
