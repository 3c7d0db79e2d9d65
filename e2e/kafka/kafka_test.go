package kafka

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/memorylimiterprocessor"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/kafkaexporter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/loadbalancingexporter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/kafkareceiver"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver"
)

// TestKafkaKeepsServicesTogether runs the configurations of examples/kafka with an in-memory broker and two
// agents. Each service must arrive at one detector, and the scrapes of each process in order.
func TestKafkaKeepsServicesTogether(t *testing.T) {
	const services, instances, scrapes = 12, 3, 5
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(4, "goroutine_metrics", "goroutine_logs"))
	require.NoError(t, err)
	t.Cleanup(broker.Close) // after the collectors
	t.Setenv("KAFKA", broker.ListenAddrs()[0])
	detectors := []*detector{startDetector(t), startDetector(t)}
	t.Setenv("DETECTORS", fmt.Sprintf("[%s,%s]", detectors[0].address, detectors[1].address))
	t.Setenv("CART_PPROF", freeAddress(t)) // nothing listens there
	var agents []pmetricotlp.GRPCClient
	for range 2 {
		address := freeAddress(t)
		t.Setenv("OTLP_GRPC_LISTEN", address)
		start(t, "agent.yaml")
		agents = append(agents, dial(t, address))
	}
	start(t, "router.yaml")

	for scrape := range scrapes {
		for service := range services {
			for instance := range instances {
				// An instance always pushes to the same agent, as a process on one machine does.
				agent := agents[(service+instance)%len(agents)]
				require.Eventually(t, func() bool {
					_, err := agent.Export(t.Context(), pmetricotlp.NewExportRequestFromMetrics(scraped(service, instance, scrape)))
					return err == nil
				}, 30*time.Second, 50*time.Millisecond, "the agent accepts the metrics")
			}
		}
	}
	complete := func() bool { return detectors[0].points()+detectors[1].points() >= services*instances*scrapes }
	require.Eventually(t, complete, 60*time.Second, 50*time.Millisecond, "all points arrive")

	at := make(map[string]int)
	for i, d := range detectors {
		for process, values := range d.all() {
			service, _, _ := strings.Cut(process, "/")
			before, known := at[service]
			assert.True(t, !known || before == i, "%s is at two detectors", service)
			at[service] = i
			assert.Equal(t, []int64{0, 1, 2, 3, 4}, values, process)
		}
		assert.NotEmpty(t, d.all(), "each detector has services")
	}
	assert.Len(t, at, services)
}

func scraped(service, instance, scrape int) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", fmt.Sprint("service-", service))
	rm.Resource().Attributes().PutStr("service.instance.id", fmt.Sprint("instance-", instance))
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("go.goroutine.count")
	p := m.SetEmptyGauge().DataPoints().AppendEmpty()
	p.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	p.SetIntValue(int64(scrape))
	return md
}

// start runs a collector with a configuration of examples/kafka until the test ends.
func start(t *testing.T, name string) {
	t.Helper()
	_, port, err := net.SplitHostPort(freeAddress(t))
	require.NoError(t, err)
	t.Setenv("TELEMETRY_PORT", port)
	c, err := otelcol.NewCollector(otelcol.CollectorSettings{
		Factories:               factories,
		DisableGracefulShutdown: true,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			URIs:              []string{filepath.Join("..", "..", "examples", "kafka", name), "yaml:service::telemetry::logs::level: error"},
			ProviderFactories: []confmap.ProviderFactory{fileprovider.NewFactory(), envprovider.NewFactory(), yamlprovider.NewFactory()},
			DefaultScheme:     "env",
		}},
	})
	require.NoError(t, err)
	var running sync.WaitGroup
	running.Go(func() { assert.NoError(t, c.Run(context.Background()), name) })
	t.Cleanup(func() { c.Shutdown(); running.Wait() })
	require.Eventually(t, func() bool { return c.GetState() == otelcol.StateRunning }, 30*time.Second, 10*time.Millisecond, name)
}

func factories() (otelcol.Factories, error) {
	var f otelcol.Factories
	var err error
	if f.Receivers, err = otelcol.MakeFactoryMap[receiver.Factory](goroutinereceiver.NewFactory(), otlpreceiver.NewFactory(), kafkareceiver.NewFactory()); err != nil {
		return f, err
	}
	if f.Processors, err = otelcol.MakeFactoryMap[processor.Factory](memorylimiterprocessor.NewFactory()); err != nil {
		return f, err
	}
	f.Telemetry = otelconftelemetry.NewFactory()
	f.Exporters, err = otelcol.MakeFactoryMap[exporter.Factory](kafkaexporter.NewFactory(), loadbalancingexporter.NewFactory())
	return f, err
}

// detector receives OTLP and records the values of each process.
type detector struct {
	pmetricotlp.UnimplementedGRPCServer
	address string

	mu     sync.Mutex
	values map[string][]int64
}

func startDetector(t *testing.T) *detector {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d := &detector{address: listener.Addr().String(), values: make(map[string][]int64)}
	server := grpc.NewServer()
	pmetricotlp.RegisterGRPCServer(server, d)
	var serving sync.WaitGroup
	serving.Go(func() { assert.NoError(t, server.Serve(listener)) })
	t.Cleanup(func() { server.Stop(); serving.Wait() })
	return d
}

func (d *detector) Export(_ context.Context, request pmetricotlp.ExportRequest) (pmetricotlp.ExportResponse, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, rm := range request.Metrics().ResourceMetrics().All() {
		service, _ := rm.Resource().Attributes().Get("service.name")
		instance, _ := rm.Resource().Attributes().Get("service.instance.id")
		process := service.Str() + "/" + instance.Str()
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if m.Name() != "go.goroutine.count" {
					continue // of the target that does not respond
				}
				for _, p := range m.Gauge().DataPoints().All() {
					d.values[process] = append(d.values[process], p.IntValue())
				}
			}
		}
	}
	return pmetricotlp.NewExportResponse(), nil
}

func (d *detector) points() int {
	n := 0
	for _, values := range d.all() {
		n += len(values)
	}
	return n
}

func (d *detector) all() map[string][]int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	copied := make(map[string][]int64, len(d.values))
	for process, values := range d.values {
		copied[process] = append([]int64(nil), values...)
	}
	return copied
}

func dial(t *testing.T, address string) pmetricotlp.GRPCClient {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, conn.Close()) })
	return pmetricotlp.NewGRPCClient(conn)
}

func freeAddress(t *testing.T) string {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	return listener.Addr().String()
}
