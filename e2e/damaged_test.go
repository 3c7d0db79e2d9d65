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

// stateFile is the name of the file in which atomic_file_storage stores the state of the processor.
const stateFile = "processor-leak_detect.store"

// storedProcessor is a processor that saves its state in a real atomic_file_storage.
type storedProcessor struct {
	processor processor.Metrics
	storage   component.Component
	logs      *observer.ObservedLogs // of processor and storage
	sink      *consumertest.MetricsSink
}

// storageHost is a host with a storage extension.
type storageHost map[component.ID]component.Component

func (h storageHost) GetExtensions() map[component.ID]component.Component { return h }

// startStored starts a processor that stores its state in folder.
func startStored(t *testing.T, folder string) *storedProcessor {
	t.Helper()
	core, logs := observer.New(zap.InfoLevel)
	storages, processors := atomicstorage.NewFactory(), leakdetect.NewFactory()
	storageConfig := storages.CreateDefaultConfig().(*atomicstorage.Config)
	storageConfig.Directory = folder
	settings := extensiontest.NewNopSettings(storages.Type())
	settings.Logger = zap.New(core)
	extension, err := storages.Create(t.Context(), settings, storageConfig)
	require.NoError(t, err)
	require.NoError(t, extension.Start(t.Context(), storageHost{}))

	rules, id := processors.CreateDefaultConfig().(*leakdetect.Config), component.NewID(storages.Type())
	rules.Storage = &id
	m := &storedProcessor{storage: extension, logs: logs, sink: new(consumertest.MetricsSink)}
	set := processortest.NewNopSettings(processors.Type())
	set.ID = component.NewID(processors.Type())
	set.Logger = zap.New(core)
	m.processor, err = processors.CreateMetrics(t.Context(), set, rules, m.sink)
	require.NoError(t, err)
	require.NoError(t, m.processor.Start(t.Context(), storageHost{id: extension}))
	return m
}

// consume sends the processor one batch a minute of a service with leaking groups, and checks that each
// batch is passed on.
func (m *storedProcessor) consume(t *testing.T, groups, from, to int) {
	t.Helper()
	for minute := from; minute < to; minute++ {
		m.sink.Reset()
		require.NoError(t, m.processor.ConsumeMetrics(t.Context(), leakingGroups(groups, minute)))
		require.Len(t, m.sink.AllMetrics(), 1)
	}
}

// flagged reports whether flags were added to the last batch.
func (m *storedProcessor) flagged() bool {
	all := m.sink.AllMetrics()
	return all[len(all)-1].ResourceMetrics().At(0).ScopeMetrics().Len() > 1
}

func (m *storedProcessor) shutdown(t *testing.T) {
	t.Helper()
	require.NoError(t, m.processor.Shutdown(context.Background()))
	require.NoError(t, m.storage.Shutdown(context.Background()))
}

// restored reports whether the processor restored a saved state.
func (m *storedProcessor) restored() bool {
	return m.logs.FilterMessage("Restored the saved state").Len() > 0
}

// startedEmpty reports whether the processor started without saved state.
func (m *storedProcessor) startedEmpty() bool {
	return m.logs.FilterMessage("Starting without saved state").Len() > 0
}

// warnings returns the warnings of processor and storage.
func (m *storedProcessor) warnings() string {
	var all strings.Builder
	for _, entry := range m.logs.FilterLevelExact(zap.WarnLevel).All() {
		fmt.Fprintln(&all, entry.Message, entry.ContextMap())
	}
	return all.String()
}

// leakingGroups returns the batch of one minute.
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

const (
	savedGroups  = 60
	savedMinutes = 120 // enough for flags
)

// savedFile returns the state file of a processor that was restarted three times and shut down.
func savedFile(t *testing.T) []byte {
	t.Helper()
	folder := t.TempDir()
	for life := range 4 {
		m := startStored(t, folder)
		m.consume(t, savedGroups, life*savedMinutes/4, (life+1)*savedMinutes/4)
		require.Equal(t, life > 0, m.restored())
		require.Empty(t, m.warnings())
		m.shutdown(t)
	}
	data, err := os.ReadFile(filepath.Join(folder, stateFile))
	require.NoError(t, err)
	return data
}

// restartWith starts a processor twice with a state file of any content. Both must work and shut down
// without error, and the second must restore what the first has saved.
func restartWith(t *testing.T, file []byte, what string) (first *storedProcessor) {
	t.Helper()
	folder := t.TempDir()
	defer func() { require.NoError(t, os.RemoveAll(folder)) }() // the tests call it many times
	require.NoError(t, os.WriteFile(filepath.Join(folder, stateFile), file, 0o600))
	first = startStored(t, folder)
	first.consume(t, savedGroups, savedMinutes, savedMinutes+1)
	first.shutdown(t)
	second := startStored(t, folder)
	second.consume(t, savedGroups, savedMinutes+1, savedMinutes+2)
	second.shutdown(t)
	assert.True(t, second.restored(), "%s: the second processor restores the state: %s", what, first.warnings())
	assert.Equal(t, first.restored(), second.flagged(), "%s: flags depend on the restored state", what)
	return first
}

// offsets returns offsets in a file of this size: all with -long, which takes minutes, otherwise those
// of the first and last bytes and a sample of the rest.
func offsets(size int) []int {
	const edge, prime = 40, 1021
	var at []int
	for n := range size {
		if n < edge || n >= size-edge || n%prime == 0 || *long {
			at = append(at, n)
		}
	}
	return at
}

// TestTruncatedFile checks that the processor warns of a truncated state file, sets it aside, and works.
func TestTruncatedFile(t *testing.T) {
	t.Parallel()
	whole := savedFile(t)
	require.True(t, restartWith(t, whole, "whole").restored())
	for _, n := range offsets(len(whole)) {
		m := restartWith(t, whole[:n], fmt.Sprintf("cut at byte %d", n))
		assert.True(t, m.startedEmpty(), "cut at byte %d", n)
		assert.Contains(t, m.warnings(), stateFile+".damaged", "cut at byte %d", n)
	}
}

// TestCorruptByte flips one bit of one byte at a time.
func TestCorruptByte(t *testing.T) {
	t.Parallel()
	whole := savedFile(t)
	for _, n := range offsets(len(whole)) {
		damaged := slices.Clone(whole)
		damaged[n] ^= 1 << (n % 8)
		m := restartWith(t, damaged, fmt.Sprintf("byte %d", n))
		assert.True(t, m.startedEmpty(), "byte %d", n)
		assert.Contains(t, m.warnings(), stateFile+".damaged", "byte %d", n)
	}
}

// TestStateFileIsDirectory has a directory in place of the state file.
func TestStateFileIsDirectory(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(folder, stateFile), 0o700))
	m := startStored(t, folder)
	m.consume(t, savedGroups, 0, savedMinutes)
	assert.True(t, m.flagged())
	m.shutdown(t)
	assert.Contains(t, m.warnings(), "is a directory")
}
