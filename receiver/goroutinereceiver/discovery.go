package goroutinereceiver

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"runtime/debug"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/targetlist"
)

// staticKind is the configuration key of static targets.
const staticKind = "targets"

// discovery merges the static targets with the lists of all sources and reconciles the fleet
// with them.
type discovery struct {
	shard        targetlist.Shard
	logger       *zap.Logger
	builder      *metadata.TelemetryBuilder
	receiverAttr attribute.KeyValue // of the metrics about the receiver
	panics       func(context.Context)
	pool         *pool
	pollers      []*poller

	mu    sync.Mutex
	fleet fleet
	// lists are the static targets and then the targets of each poller, in order of
	// precedence.
	lists             []sourceList
	incomplete        bool // creating a target failed
	closesConnections bool // after each scrape
}

// sourceList has the targets of a source.
type sourceList struct {
	kind    string
	targets []targetlist.Target
	failing int // number of its lists that failed at the latest poll
}

// newPollers returns a poller for each configured source, in order of precedence. closers close
// the idle connections of their HTTP clients.
func newPollers(ctx context.Context, cfg *Config, host component.Host, settings component.TelemetrySettings) (pollers []*poller, closers []func(), err error) {
	client := func(c confighttp.ClientConfig) *http.Client {
		base := &baseTransport{guard: dialGuard{allowLinkLocal: cfg.AllowLinkLocal}}
		client, clientErr := base.client(ctx, c, host, settings)
		if clientErr != nil {
			err = errors.Join(err, clientErr)
			return nil
		}
		client.Timeout = c.Timeout
		closers = append(closers, base.closeIdle)
		return client
	}
	add := func(s source, interval time.Duration, labels map[string]string) {
		pollers = append(pollers, newPoller(s, interval, labels, settings.Logger))
	}
	for _, c := range cfg.FileSD {
		add(fileSource{patterns: c.Files}, c.Interval, c.Labels)
	}
	for _, c := range cfg.HTTPSD {
		add(&httpSource{client: client(c.ClientConfig), url: c.ClientConfig.Endpoint}, c.Interval, c.Labels)
	}
	for _, c := range cfg.DNS {
		add(&dnsSource{names: c.Names, recordType: c.Type, port: c.Port, guard: dialGuard{allowLinkLocal: cfg.AllowLinkLocal}}, c.Interval, c.Labels)
	}
	if c := cfg.TargetAllocator; c.isSet() {
		base, parseErr := url.Parse(c.ClientConfig.Endpoint)
		if parseErr != nil {
			return nil, closers, errListEndpoint
		}
		add(&allocatorSource{client: client(c.ClientConfig), base: base, collectorID: c.CollectorID, job: c.Job}, c.Interval, c.Labels)
	}
	return pollers, closers, err
}

// reconcile merges the lists and starts and stops scrapes accordingly. The caller holds mu.
func (d *discovery) reconcile() {
	lists := make([][]targetlist.Target, len(d.lists))
	for i, l := range d.lists {
		lists[i] = l.targets
	}
	done, errs := d.fleet.reconcile(targetlist.Merge(d.shard, lists...))
	if len(errs) > 0 && !d.incomplete {
		d.logger.Error("Failed to create targets, will retry", zap.Int("targets", len(errs)), zap.NamedError("first", errs[0]))
	}
	d.incomplete = len(errs) > 0
	d.pool.targets.Add(int64(done.added - done.removed))
	if closing := !d.pool.keepsConnections(); closing != d.closesConnections {
		d.closesConnections = closing
		d.logger.Info("The number of targets crossed half of the limit of open files",
			zap.Int64("targets", d.pool.targets.Load()), zap.Int64("limit", d.pool.maxConnections), zap.Bool("connections_kept_alive", !closing))
	}
	if done.any() && len(d.pollers) > 0 {
		d.logger.Info("Targets changed", zap.Int("added", done.added), zap.Int("removed", done.removed),
			zap.Int("altered", done.altered), zap.Int("targets", len(d.fleet.active)))
	}
}

// pollSource polls the source with index i until ctx is done.
func (d *discovery) pollSource(ctx context.Context, i int) {
	p := d.pollers[i]
	wait := p.interval
	ticker := time.NewTicker(wait)
	defer ticker.Stop()
	for {
		failures, changed := d.guardedPoll(ctx, p)
		if ctx.Err() != nil {
			return
		}
		d.recordPoll(ctx, i, failures, changed)
		if next := p.nextPoll(failures); next != wait {
			wait = next
			ticker.Reset(wait)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// recordPoll records the result of a poll, and reconciles if it changed anything.
func (d *discovery) recordPoll(ctx context.Context, i, failures int, changed bool) {
	p := d.pollers[i]
	d.builder.ReceiverGoroutineDiscoveryFailures.Add(ctx, int64(failures), d.attributes(p.source.kind()))
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fleet.forget(time.Now()) // even if lists no longer change
	list := &d.lists[i+1]      // lists[0] are the static targets
	list.failing = p.failingLists()
	if changed {
		list.targets = p.targets()
	}
	if changed || d.incomplete {
		d.reconcile()
	}
}

// guardedPoll polls a source. A panic counts as a failed poll.
func (d *discovery) guardedPoll(ctx context.Context, p *poller) (failures int, changed bool) {
	defer func() {
		if r := recover(); r != nil {
			d.panics(ctx)
			d.logger.Error("Panic while polling for targets, please report it", zap.Any("panic", r), zap.ByteString("stack", debug.Stack()))
			failures, changed = 1, false
		}
	}()
	return p.poll(ctx)
}

func (d *discovery) attributes(kind string) metric.MeasurementOption {
	return metric.WithAttributes(d.receiverAttr, attribute.String("source", kind))
}

// registerGauges registers the callbacks of the metrics about discovery.
func (d *discovery) registerGauges() error {
	byKind := func(count func(sourceList) int) metric.Int64Callback {
		return func(_ context.Context, observer metric.Int64Observer) error {
			sums := make(map[string]int)
			d.mu.Lock()
			for _, list := range d.lists {
				sums[list.kind] += count(list)
			}
			d.mu.Unlock()
			for kind, sum := range sums {
				observer.Observe(int64(sum), d.attributes(kind))
			}
			return nil
		}
	}
	return errors.Join(
		d.builder.RegisterReceiverGoroutineTargetsCallback(func(_ context.Context, observer metric.Int64Observer) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			observer.Observe(int64(len(d.fleet.active)), metric.WithAttributes(d.receiverAttr))
			return nil
		}),
		d.builder.RegisterReceiverGoroutineDiscoveryTargetsCallback(byKind(func(l sourceList) int { return len(l.targets) })),
		d.builder.RegisterReceiverGoroutineDiscoveryFailingCallback(byKind(func(l sourceList) int { return l.failing })),
	)
}

// toListed converts a static target.
func (t TargetConfig) toListed() (targetlist.Target, error) {
	listed, err := targetlist.FromEndpoint(t.ClientConfig.Endpoint)
	if err != nil {
		return targetlist.Target{}, err
	}
	listed.ServiceName, listed.Attributes, listed.Capture = t.ServiceName, t.Attributes, string(t.Capture)
	return listed, nil
}

// withListed returns t with the settings of a listed target.
func (t TargetConfig) withListed(listed targetlist.Target) TargetConfig {
	t.ClientConfig.Endpoint = listed.Endpoint
	t.Attributes = merged(t.Attributes, listed.Attributes)
	if listed.ServiceName != "" {
		t.ServiceName = listed.ServiceName
	}
	if t.ServiceName == "" {
		t.ServiceName = listed.Workload
	}
	if listed.Capture != "" {
		t.Capture = Capture(listed.Capture)
	}
	return t
}
