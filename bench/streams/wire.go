package main

import (
	"bytes"
	"compress/gzip"
	"io"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"

	"github.com/otel-goroutine/otel-goroutine/bench/internal/result"
)

// wire measures the cost of points between two collectors as OTLP with gzip, the exporter's default. A request has one
// scrape of a process of each program.
func wire(times int) ([]result.Row, error) {
	f := newFleet(1_000_000, false)
	all := pmetric.NewMetrics()
	for program := range programs {
		f.batches[program][warmScrapes].ResourceMetrics().At(0).CopyTo(all.ResourceMetrics().AppendEmpty())
	}
	points := float64(times * all.DataPointCount())
	request := pmetricotlp.NewExportRequestFromMetrics(all)
	var sent bytes.Buffer
	began := cpuTime()
	for range times {
		content, err := request.MarshalProto()
		if err != nil {
			return nil, err
		}
		sent.Reset()
		w := gzip.NewWriter(&sent)
		if _, err := w.Write(content); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
	}
	encoded := cpuTime()
	for range times {
		r, err := gzip.NewReader(bytes.NewReader(sent.Bytes()))
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		if err := pmetricotlp.NewExportRequest().UnmarshalProto(content); err != nil {
			return nil, err
		}
	}
	decoded := cpuTime()
	content, err := request.MarshalProto()
	if err != nil {
		return nil, err
	}
	return []result.Row{
		{Name: "a point as OTLP", Unit: "byte", Value: float64(len(content)) / float64(all.DataPointCount())},
		{Name: "a point as OTLP, in gzip", Unit: "byte", Value: float64(sent.Len()) / float64(all.DataPointCount())},
		{Name: "a point written as OTLP", Unit: "µs", Value: 1e6 * (encoded - began).Seconds() / points},
		{Name: "a point read from OTLP", Unit: "µs", Value: 1e6 * (decoded - encoded).Seconds() / points},
	}, nil
}
