package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect"
)

// databaseName is the name of the file in which file_storage keeps what is remembered.
const databaseName = "processor_leak_detect_"

// memory is a processor that keeps what it remembers in a real file_storage.
type memory struct {
	processor processor.Metrics
	logs      *observer.ObservedLogs
	sink      *consumertest.MetricsSink
}

// storageHost has a file_storage extension.
type storageHost map[component.ID]component.Component

func (h storageHost) GetExtensions() map[component.ID]component.Component { return h }

// remember starts a processor over a folder.
func remember(t *testing.T, folder string, change ...func(*filestorage.Config)) *memory {
	t.Helper()
	return rememberAs(t, component.NewID(leakdetect.NewFactory().Type()), folder, change...)
}

// rememberAs starts a processor of this name, of which that of the file comes.
func rememberAs(t *testing.T, name component.ID, folder string, change ...func(*filestorage.Config)) *memory {
	t.Helper()
	storages, processors := filestorage.NewFactory(), leakdetect.NewFactory()
	place := storages.CreateDefaultConfig().(*filestorage.Config)
	place.Directory = folder
	for _, c := range change {
		c(place)
	}
	extension, err := storages.Create(t.Context(), extensiontest.NewNopSettings(storages.Type()), place)
	require.NoError(t, err)

	rules, id := processors.CreateDefaultConfig().(*leakdetect.Config), component.MustNewID("file_storage")
	rules.Storage = &id
	m := &memory{sink: new(consumertest.MetricsSink)}
	set := processortest.NewNopSettings(processors.Type())
	set.ID = name
	core, logs := observer.New(zap.InfoLevel)
	set.Logger, m.logs = zap.New(core), logs
	m.processor, err = processors.CreateMetrics(t.Context(), set, rules, m.sink)
	require.NoError(t, err)
	require.NoError(t, m.processor.Start(t.Context(), storageHost{id: extension}))
	return m
}

// live has the processor live through minutes of a service in which groups of goroutines
// leak, and sees that all data is passed on.
func (m *memory) live(t *testing.T, groups, from, to int) {
	t.Helper()
	for minute := from; minute < to; minute++ {
		m.sink.Reset()
		require.NoError(t, m.processor.ConsumeMetrics(t.Context(), leakingGroups(groups, minute)))
		require.Len(t, m.sink.AllMetrics(), 1)
	}
}

// flagged tells whether the last batch had flags added to it.
func (m *memory) flagged() bool {
	all := m.sink.AllMetrics()
	return all[len(all)-1].ResourceMetrics().At(0).ScopeMetrics().Len() > 1
}

func (m *memory) end(t *testing.T) {
	t.Helper()
	require.NoError(t, m.processor.Shutdown(context.Background()))
}

// goesOn tells whether the processor remembers what was before it.
func (m *memory) goesOn() bool {
	return m.logs.FilterMessage("Goes on from what was remembered").Len() > 0
}

// begins tells whether the processor found nothing to remember, and nothing wrong.
func (m *memory) begins() bool {
	return m.logs.FilterMessage("Begins with nothing remembered").Len() > 0
}

// reported returns what the processor says that went wrong.
func (m *memory) reported() string {
	var all strings.Builder
	for _, entry := range m.logs.FilterLevelExact(zap.WarnLevel).All() {
		fmt.Fprintln(&all, entry.ContextMap()["operation"], entry.ContextMap()["error"])
	}
	return all.String()
}

// leakingGroups makes the data of a minute.
func leakingGroups(groups, minute int) pmetric.Metrics {
	at := pcommon.NewTimestampFromTime(time.Date(2026, 1, 5, 0, minute, 0, 0, time.UTC))
	md := pmetric.NewMetrics()
	resource := md.ResourceMetrics().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "shop")
	metrics := resource.ScopeMetrics().AppendEmpty().Metrics()
	for _, name := range []string{"goroutine.stack.count", "goroutine.stack.aged.count", "goroutine.stack.aged.exits"} {
		m := metrics.AppendEmpty()
		m.SetName(name)
		points := m.SetEmptyGauge().DataPoints()
		for group := range groups {
			p := points.AppendEmpty()
			p.SetTimestamp(at)
			if name != "goroutine.stack.aged.exits" {
				p.SetIntValue(int64(3 * minute))
			} else {
				p.SetIntValue(0)
			}
			p.Attributes().PutStr("goroutine.stack.signature", fmt.Sprintf("%016x", group))
		}
	}
	return md
}

// remembered is how many groups there are in the database of the tests, enough for a
// state of several pages; and for how many minutes they have leaked, enough for flags.
const (
	rememberedGroups  = 60
	rememberedMinutes = 120
)

// rememberedDatabase returns the database of a processor that has ended, which has saved
// more than once, so that it has old pages too.
func rememberedDatabase(t *testing.T) []byte {
	t.Helper()
	folder := t.TempDir()
	for life := range 4 {
		m := remember(t, folder)
		m.live(t, rememberedGroups, life*rememberedMinutes/4, (life+1)*rememberedMinutes/4)
		require.Equal(t, life > 0, m.goesOn())
		require.Empty(t, m.reported())
		m.end(t)
	}
	data, err := os.ReadFile(filepath.Join(folder, databaseName))
	require.NoError(t, err)
	return data
}

// survive starts a processor on a database twice: it works and ends well whatever the
// file holds, and what it saves is there the second time.
func survive(t *testing.T, file []byte, what string) (first *memory) {
	t.Helper()
	folder := t.TempDir()
	defer func() { require.NoError(t, os.RemoveAll(folder)) }() // there will be many
	require.NoError(t, os.WriteFile(filepath.Join(folder, databaseName), file, 0o600))
	first = remember(t, folder)
	first.live(t, rememberedGroups, rememberedMinutes, rememberedMinutes+1)
	first.end(t)
	second := remember(t, folder)
	second.live(t, rememberedGroups, rememberedMinutes+1, rememberedMinutes+2)
	second.end(t)
	assert.True(t, second.goesOn(), "%s: what was saved after it is there: %s", what, first.reported())
	assert.Equal(t, first.goesOn(), second.flagged(), "%s: the flags are those that were remembered", what)
	return first
}

// cuts returns the offsets at which a file of this size is cut: every byte in the long
// form, which takes minutes, otherwise around each page and a sample of the rest.
func cuts(size int) []int {
	const page, prime = 4096, 1021
	var at []int
	for n := range size {
		if offset := (n + 1) % page; offset <= 2 || n%prime == 0 || *long {
			at = append(at, n)
		}
	}
	return at
}

// TestADatabaseThatIsCut cuts the file. What cannot be used is reported, and nothing
// else suffers.
func TestADatabaseThatIsCut(t *testing.T) {
	whole := rememberedDatabase(t)
	require.True(t, survive(t, whole, "whole").goesOn())
	lost := 0
	for _, n := range cuts(len(whole)) {
		m := survive(t, whole[:n], fmt.Sprintf("cut at byte %d", n))
		if n == 0 {
			assert.True(t, m.begins())
			continue
		}
		assert.NotEqual(t, m.goesOn(), m.reported() != "", "cut at byte %d: it goes on, or says why not: %s", n, m.reported())
		if !m.goesOn() {
			lost++
		}
	}
	t.Logf("of %d cuts of %d bytes, %d cost the memory", len(cuts(len(whole))), len(whole), lost)
}

// TestADatabaseWithAWrongByte changes one byte at a time: each of the first of every
// page, where their structure is, and others at random. One that makes another name of a
// name, or none of one element, leaves a database in order in which nothing is found.
func TestADatabaseWithAWrongByte(t *testing.T) {
	whole := rememberedDatabase(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var places []int
	for n := range whole {
		if n%4096 < 80 && random.IntN(12) == 0 || random.IntN(2048) == 0 {
			places = append(places, n)
		}
	}
	lost, unfound := 0, 0
	for _, n := range places {
		damaged := slices.Clone(whole)
		damaged[n] ^= 1 << random.IntN(8)
		m := survive(t, damaged, fmt.Sprintf("byte %d", n))
		if m.begins() && m.reported() == "" {
			unfound++
			continue
		}
		assert.NotEqual(t, m.goesOn(), m.reported() != "", "byte %d: it goes on, or says why not: %s", n, m.reported())
		if !m.goesOn() {
			lost++
		}
	}
	assert.Less(t, unfound, len(places)/20)
	t.Logf("of %d bytes, %d cost the memory, and with %d nothing is found", len(places), lost, unfound)
}

// TestADatabaseThatCannotBeOpened has a folder in its place.
func TestADatabaseThatCannotBeOpened(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(folder, databaseName), 0o700))
	m := remember(t, folder)
	m.live(t, rememberedGroups, 0, rememberedMinutes)
	assert.True(t, m.flagged())
	m.end(t)
	assert.Contains(t, m.reported(), "is a directory")
}

// TestADamagedDatabaseIsSetAside keeps what is damaged, for somebody to look at.
func TestADamagedDatabaseIsSetAside(t *testing.T) {
	damaged := rememberedDatabase(t)
	damaged = damaged[:len(damaged)/8]
	for processorName, file := range map[string]string{
		"leak_detect":       databaseName,
		"leak_detect/größe": databaseName + "gr~00F6~00DFe",
	} {
		var name component.ID
		require.NoError(t, name.UnmarshalText([]byte(processorName)))
		folder := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(folder, file), damaged, 0o600))
		m := rememberAs(t, name, folder)
		m.end(t)
		kept, err := os.ReadFile(filepath.Join(folder, file+".damaged"))
		require.NoError(t, err)
		assert.Equal(t, damaged, kept)
		assert.Contains(t, m.reported(), file+".damaged")
	}
}

// TestAStorageThatIsFull has no room for the state.
func TestAStorageThatIsFull(t *testing.T) {
	folder := t.TempDir()
	m := remember(t, folder, func(c *filestorage.Config) { c.MaxSize = 48 << 10 })
	m.live(t, 2*rememberedGroups, 0, rememberedMinutes)
	assert.True(t, m.flagged())
	m.end(t)
	assert.Contains(t, m.reported(), "out of available space")
	m = remember(t, folder)
	m.live(t, 2*rememberedGroups, 0, 1)
	m.end(t)
	assert.False(t, m.goesOn())
	assert.Empty(t, m.reported(), "the database is not damaged by it")
}
