// Make records the output of the collector's Prometheus receiver for two Go services that are
// instrumented with client_golang, as OTLP in JSON, one batch per line. The first leaks goroutines;
// the second is stopped halfway, so that its series become stale.
//
//	cd testdata/prometheus/make
//	go run . -o ../scraped.jsonl
//
// The receiver has 1,500 packages, so this is a separate module that no build of the project
// includes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/prometheusreceiver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

// The job names of the services.
const leakingJob, stoppedJob = "shop", "billing"

func main() {
	out := flag.String("o", "", "file to write the batches to")
	flag.Parse()
	if err := run(*out); err != nil {
		log.Fatal(err)
	}
}

func run(out string) error {
	leaking, err := serve(func() { go func() { select {} }() })
	if err != nil {
		return err
	}
	stopped, err := serve(func() {})
	if err != nil {
		return err
	}
	sink := new(consumertest.MetricsSink)
	factory := prometheusreceiver.NewFactory()
	cfg := factory.CreateDefaultConfig()
	if err := confmap.NewFromStringMap(config(leaking.Addr, stopped.Addr)).Unmarshal(cfg); err != nil {
		return err
	}
	ctx := context.Background()
	receiver, err := factory.CreateMetrics(ctx, receivertest.NewNopSettings(factory.Type()), cfg, sink)
	if err != nil {
		return err
	}
	if err := receiver.Start(ctx, componenttest.NewNopHost()); err != nil {
		return err
	}
	// Prometheus waits 5 s before it discovers targets, and scrapes once per second.
	time.Sleep(8 * time.Second)
	err = stopped.Close()
	time.Sleep(2500 * time.Millisecond)
	if err := errors.Join(err, receiver.Shutdown(ctx), leaking.Close()); err != nil {
		return err
	}
	return write(out, sink.AllMetrics())
}

// config returns the configuration of the receiver.
func config(leaking, stopped string) map[string]any {
	job := func(name, target string) map[string]any {
		return map[string]any{
			"job_name":        name,
			"scrape_interval": "1s",
			"static_configs":  []any{map[string]any{"targets": []any{target}}},
			// Other metrics of client_golang are dropped to save space.
			"metric_relabel_configs": []any{map[string]any{
				"source_labels": []any{"__name__"},
				"regex":         "go_goroutines|go_info|go_memstats_heap_inuse_bytes|go_memstats_alloc_bytes_total|go_gc_duration_seconds.*|process_.*|goroutine_.*",
				"action":        "keep",
			}},
		}
	}
	return map[string]any{"config": map[string]any{
		"scrape_configs": []any{job(leakingJob, leaking), job(stoppedJob, stopped)},
	}}
}

// serve serves the metrics of this process, and those of a census with their names in Prometheus. It
// calls leak ten times per scrape.
func serve(leak func()) (*http.Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	census := newCensus(registry)
	page := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	server := &http.Server{
		Addr: listener.Addr().String(),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for range 10 {
				leak()
			}
			census.grow(10)
			page.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: time.Second,
	}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Print(err)
		}
	}()
	return server, nil
}

// census has the metrics of a growing group of goroutines.
type census struct {
	count, aged prometheus.Gauge
}

func newCensus(registry *prometheus.Registry) *census {
	group := prometheus.Labels{
		"goroutine_stack_signature": "00000000000000aa", "goroutine_state": "chan_receive",
		"code_function_name": "main.waitForReply", "code_file_path": "/src/leaks.go", "code_line_number": "51",
		"goroutine_entry_function_name": "main.handle",
	}
	band := prometheus.Labels{"goroutine_age_min": "600"}
	for name, value := range group {
		band[name] = value
	}
	c := &census{
		count: prometheus.NewGauge(prometheus.GaugeOpts{Name: "goroutine_stack_count", Help: "Goroutines.", ConstLabels: group}),
		aged:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "goroutine_stack_aged_count", Help: "Aged goroutines.", ConstLabels: band}),
	}
	exits := prometheus.NewCounter(prometheus.CounterOpts{Name: "goroutine_stack_aged_exits_total", Help: "Aged goroutines that left.", ConstLabels: band})
	registry.MustRegister(c.count, c.aged, exits)
	return c
}

func (c *census) grow(n float64) {
	c.count.Add(n)
	c.aged.Add(n)
}

func write(path string, batches []pmetric.Metrics) error {
	var lines []byte
	for _, md := range batches {
		line, err := new(pmetric.JSONMarshaler).MarshalMetrics(md)
		if err != nil {
			return err
		}
		lines = append(append(lines, line...), '\n')
	}
	if len(batches) == 0 {
		return fmt.Errorf("the receiver sent nothing")
	}
	return os.WriteFile(path, lines, 0o644)
}
