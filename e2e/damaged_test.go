package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

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

	"github.com/otel-goroutine/otel-goroutine/extension/atomicstorage"
	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect"
)

// stateFile is the name of the file in which atomic_file_storage keeps what is remembered.
const stateFile = "processor-leak_detect.store"

// memory is a processor that keeps what it remembers in a real atomic_file_storage.
type memory struct {
	processor processor.Metrics
	storage   component.Component
	logs      *observer.ObservedLogs // of both
	sink      *consumertest.MetricsSink
}

// storageHost has a storage extension.
type storageHost map[component.ID]component.Component

func (h storageHost) GetExtensions() map[component.ID]component.Component { return h }

// remember starts a processor over a folder.
func remember(t *testing.T, folder string) *memory {
	t.Helper()
	core, logs := observer.New(zap.InfoLevel)
	storages, processors := atomicstorage.NewFactory(), leakdetect.NewFactory()
	place := storages.CreateDefaultConfig().(*atomicstorage.Config)
	place.Directory = folder
	about := extensiontest.NewNopSettings(storages.Type())
	about.Logger = zap.New(core)
	extension, err := storages.Create(t.Context(), about, place)
	require.NoError(t, err)
	require.NoError(t, extension.Start(t.Context(), storageHost{}))

	rules, id := processors.CreateDefaultConfig().(*leakdetect.Config), component.NewID(storages.Type())
	rules.Storage = &id
	m := &memory{storage: extension, logs: logs, sink: new(consumertest.MetricsSink)}
	set := processortest.NewNopSettings(processors.Type())
	set.ID = component.NewID(processors.Type())
	set.Logger = zap.New(core)
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
	require.NoError(t, m.storage.Shutdown(context.Background()))
}

// goesOn tells whether the processor remembers what was before it.
func (m *memory) goesOn() bool {
	return m.logs.FilterMessage("Restored the saved state").Len() > 0
}

// begins tells whether the processor found nothing to remember, and nothing wrong.
func (m *memory) begins() bool {
	return m.logs.FilterMessage("Starting without saved state").Len() > 0
}

// reported returns what processor and storage say that went wrong.
func (m *memory) reported() string {
	var all strings.Builder
	for _, entry := range m.logs.FilterLevelExact(zap.WarnLevel).All() {
		fmt.Fprintln(&all, entry.Message, entry.ContextMap())
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

// remembered is how many groups there are in the file of the tests, and for how many
// minutes they have leaked, enough for flags.
const (
	rememberedGroups  = 60
	rememberedMinutes = 120
)

// rememberedFile returns the file of a processor that has ended, and has saved more than
// once.
func rememberedFile(t *testing.T) []byte {
	t.Helper()
	folder := t.TempDir()
	for life := range 4 {
		m := remember(t, folder)
		m.live(t, rememberedGroups, life*rememberedMinutes/4, (life+1)*rememberedMinutes/4)
		require.Equal(t, life > 0, m.goesOn())
		require.Empty(t, m.reported())
		m.end(t)
	}
	data, err := os.ReadFile(filepath.Join(folder, stateFile))
	require.NoError(t, err)
	return data
}

// survive starts a processor on a database twice: it works and ends well whatever the
// file holds, and what it saves is there the second time.
func survive(t *testing.T, file []byte, what string) (first *memory) {
	t.Helper()
	folder := t.TempDir()
	defer func() { require.NoError(t, os.RemoveAll(folder)) }() // there will be many
	require.NoError(t, os.WriteFile(filepath.Join(folder, stateFile), file, 0o600))
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

// places returns offsets in a file of this size: every one in the long form, which takes
// minutes, otherwise those of the first and last bytes and a sample of the rest.
func places(size int) []int {
	const edge, prime = 40, 1021
	var at []int
	for n := range size {
		if n < edge || n >= size-edge || n%prime == 0 || *long {
			at = append(at, n)
		}
	}
	return at
}

// TestAFileThatIsCut cuts the file. What cannot be used is reported, and nothing else
// suffers.
func TestAFileThatIsCut(t *testing.T) {
	t.Parallel()
	whole := rememberedFile(t)
	require.True(t, survive(t, whole, "whole").goesOn())
	for _, n := range places(len(whole)) {
		m := survive(t, whole[:n], fmt.Sprintf("cut at byte %d", n))
		assert.True(t, m.begins(), "cut at byte %d", n)
		assert.Contains(t, m.reported(), stateFile+".damaged", "cut at byte %d", n)
	}
}

// TestAFileWithAWrongByte changes one byte at a time.
func TestAFileWithAWrongByte(t *testing.T) {
	t.Parallel()
	whole := rememberedFile(t)
	for _, n := range places(len(whole)) {
		damaged := slices.Clone(whole)
		damaged[n] ^= 1 << (n % 8)
		m := survive(t, damaged, fmt.Sprintf("byte %d", n))
		assert.True(t, m.begins(), "byte %d", n)
		assert.Contains(t, m.reported(), stateFile+".damaged", "byte %d", n)
	}
}

// TestAFileThatCannotBeOpened has a folder in its place.
func TestAFileThatCannotBeOpened(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(folder, stateFile), 0o700))
	m := remember(t, folder)
	m.live(t, rememberedGroups, 0, rememberedMinutes)
	assert.True(t, m.flagged())
	m.end(t)
	assert.Contains(t, m.reported(), "is a directory")
}
