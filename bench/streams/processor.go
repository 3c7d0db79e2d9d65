package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/deltatocumulativeprocessor"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/otel-goroutine/otel-goroutine/extension/atomicstorage"
	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect"
)

// newProcessor creates a processor with its default configuration, modified by change, and starts it.
func newProcessor(factory processor.Factory, host component.Host, next consumer.Metrics, change func(component.Config)) (processor.Metrics, error) {
	ctx := context.Background()
	config := factory.CreateDefaultConfig()
	change(config)
	p, err := factory.CreateMetrics(ctx, processortest.NewNopSettings(factory.Type()), config, next)
	if err != nil {
		return nil, err
	}
	return p, p.Start(ctx, host)
}

// newPeer returns contrib's delta_to_cumulative, which also has state for each stream.
func newPeer() (processor.Metrics, error) {
	return newProcessor(deltatocumulativeprocessor.NewFactory(), componenttest.NewNopHost(), consumertest.NewNop(), func(component.Config) {})
}

// newDetector returns leak_detect with sufficient max_streams for the groups of a fleet and its services.
func newDetector(f *fleet, next consumer.Metrics) (processor.Metrics, error) {
	return newProcessor(leakdetect.NewFactory(), componenttest.NewNopHost(), next, func(c component.Config) {
		c.(*leakdetect.Config).MaxStreams = 2 * f.groups()
	})
}

// savingCost is the cost of saving the state once.
type savingCost struct {
	bytes int64
	cpu   time.Duration
}

// saveState measures how a detector saves the state of a fleet to a file.
func saveState(f *fleet) (s savingCost, err error) {
	folder, err := os.MkdirTemp("", "streams")
	if err != nil {
		return savingCost{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	ctx := context.Background()
	host, err := newStorage(folder)
	if err != nil {
		return savingCost{}, err
	}
	p, err := newProcessor(leakdetect.NewFactory(), host, consumertest.NewNop(), func(c component.Config) {
		c.(*leakdetect.Config).MaxStreams = 2 * f.groups()
		c.(*leakdetect.Config).Storage = &host.id
	})
	if err != nil {
		return savingCost{}, err
	}
	if err := f.warm(p); err != nil {
		return savingCost{}, err
	}
	before := cpuTime()
	if err := errors.Join(p.Shutdown(ctx), host.storage.Shutdown(ctx)); err != nil {
		return savingCost{}, err
	}
	s.cpu = cpuTime() - before
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	for _, file := range files {
		info, failed := os.Stat(file)
		if err = errors.Join(err, failed); err == nil {
			s.bytes += info.Size()
		}
	}
	return s, err
}

// storageHost is a host with a storage extension.
type storageHost struct {
	id      component.ID
	storage extension.Extension
}

func (h *storageHost) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{h.id: h.storage}
}

func newStorage(folder string) (*storageHost, error) {
	ctx := context.Background()
	factory := atomicstorage.NewFactory()
	config := factory.CreateDefaultConfig()
	config.(*atomicstorage.Config).Directory = folder
	storage, err := factory.Create(ctx, extensiontest.NewNopSettings(factory.Type()), config)
	if err != nil {
		return nil, err
	}
	return &storageHost{component.NewID(factory.Type()), storage}, storage.Start(ctx, componenttest.NewNopHost())
}
