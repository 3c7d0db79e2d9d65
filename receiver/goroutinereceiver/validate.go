package goroutinereceiver

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/confighttp"

	"github.com/otel-goroutine/otel-goroutine/internal/scout"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/endpoint"
)

var (
	errNoTarget           = errors.New(`"targets" is empty, and there is neither "endpoint" nor "file_sd", "http_sd", "dns" or "target_allocator": there is nothing to scrape`)
	errEndpointAndTargets = errors.New(`"endpoint" and "targets" are both set: "endpoint" is the short form of a single target`)
	errInterval           = errors.New(`"collection_interval" must be at least 100ms; a number needs a unit, such as 60s`)
	errTimeout            = errors.New(`"timeout" must be at least 10ms; a number needs a unit, such as 10s`)
	errMaxConcurrent      = errors.New(`"max_concurrent_scrapes" must be above 0`)
	errMaxBodySize        = errors.New(`"max_body_size" must be above 0 and below 2 GiB, in bytes`)
	errAgedAfter          = errors.New(`"aged_after" must be at least 100ms; a number needs a unit, such as 10m`)
	errMaxSignatures      = errors.New(`"max_signatures" must be above 0`)
	errCapture            = errors.New(`"capture" must be auto, trace or profile`)
	errLeakProfile        = errors.New(`"leak_profile" has settings of its own, such as leak_profile: {enabled: true}`)
	errLeakInterval       = errors.New(`"leak_profile::interval" must be at least 5m: each leak profile stops the target's world`)
	errLeakGoroutines     = errors.New(`"leak_profile::max_goroutines" must be above 0`)
	errOrigins            = errors.New(`"origins" has settings of its own, such as origins: {enabled: false}`)
	errOriginsDuration    = errors.New(`"origins::duration" must be from 100ms to 10s; a number needs a unit, such as 1s`)
	errOriginsMaxSize     = errors.New(`"origins::max_size" must be above 0 and below 2 GiB, in bytes`)
	errOriginsBudget      = errors.New(`"origins::budget" must be above 0 and at most 1, in cores`)
	errProxyURL           = errors.New(`"proxy_url" is not a URL`)
	errProxyUser          = errors.New(`"proxy_url" must be without user and password: it is shown wherever the configuration is; put them into the environment variable HTTP_PROXY or HTTPS_PROXY instead`)
	errAllowLinkLocal     = errors.New(`"allow_link_local" must have hosts as in endpoints, without scheme, port and path`)
	errDuplicateTarget    = errors.New(`"targets" has an endpoint twice`)
)

// The minimum durations. They catch numbers without a unit, which are read as nanoseconds.
const (
	minInterval = 100 * time.Millisecond
	minTimeout  = 10 * time.Millisecond
)

// minLeakInterval is the minimum time between two leak profiles of a target.
const minLeakInterval = 5 * time.Minute

// Validate checks the settings of the receiver. The collector validates each target.
func (c *Config) Validate() error {
	errs := []error{c.unknownKeys}
	check := func(ok bool, err error) {
		if !ok {
			errs = append(errs, err)
		}
	}
	check(c.CollectionInterval >= minInterval, errInterval)
	check(c.MaxConcurrentScrapes > 0, errMaxConcurrent)
	check(c.MaxBodySize > 0 && c.MaxBodySize <= math.MaxInt32, errMaxBodySize)
	check(c.AgedAfter >= minInterval, errAgedAfter)
	check(c.MaxSignatures > 0, errMaxSignatures)
	check(c.LeakProfile.Interval >= minLeakInterval, errLeakInterval)
	check(c.LeakProfile.MaxGoroutines > 0, errLeakGoroutines)
	check(c.Origins.Duration >= scout.MinDuration && c.Origins.Duration <= scout.MaxDuration, errOriginsDuration)
	check(c.Origins.MaxSize > 0 && c.Origins.MaxSize <= math.MaxInt32, errOriginsMaxSize)
	check(c.Origins.Budget > 0 && c.Origins.Budget <= 1, errOriginsBudget)
	check(!slices.ContainsFunc(c.AllowLinkLocal, isNotHost), errAllowLinkLocal)
	check(c.ClientConfig.Endpoint != "" || len(c.Targets) > 0 || c.hasDiscovery(), errNoTarget)
	check(c.Shard.Count == 0 || !c.TargetAllocator.isSet(), errShardAndAllocator)
	check(c.ClientConfig.Endpoint == "" || len(c.Targets) == 0, errEndpointAndTargets)
	if c.ClientConfig.Endpoint != "" {
		single := c.targets()[0]
		errs = append(errs, single.Validate())
	}
	errs = append(errs, c.validateDistinct())
	return errors.Join(errs...)
}

// isNotHost reports whether host is neither a name nor an address.
func isNotHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	return host == "" || strings.ContainsAny(host, ":/@[] ")
}

// validateDistinct returns an error if a process is configured twice, which would double every
// sum.
func (c *Config) validateDistinct() error {
	var errs []error
	first := map[string]int{}
	for i, t := range c.Targets {
		address, err := endpoint.Parse(t.ClientConfig.Endpoint)
		if err != nil {
			continue // TargetConfig.Validate returns err
		}
		// Identity is also the identity of the metrics, so that two targets never share a
		// stream.
		name := endpoint.Identity(address)
		if before, twice := first[name]; twice {
			errs = append(errs, fmt.Errorf("%w: targets %d and %d are both %s", errDuplicateTarget, before, i, name))
			continue
		}
		first[name] = i
	}
	return errors.Join(errs...)
}

// Validate checks the target.
func (t *TargetConfig) Validate() error {
	errs := []error{t.unknownKeys}
	if _, err := endpoint.Parse(t.ClientConfig.Endpoint); err != nil {
		errs = append(errs, err)
	}
	errs = append(errs, validateClient(t.ClientConfig))
	switch t.Capture {
	case CaptureAuto, CaptureTrace, CaptureProfile:
	default:
		errs = append(errs, fmt.Errorf("%w, not %q", errCapture, t.Capture))
	}
	return errors.Join(errs...)
}

// validateClient checks the settings of an HTTP client.
func validateClient(cfg confighttp.ClientConfig) error {
	var errs []error
	if cfg.Timeout < minTimeout {
		errs = append(errs, errTimeout)
	}
	if proxy := cfg.ProxyURL; proxy != "" {
		u, err := url.ParseRequestURI(proxy)
		switch {
		case err != nil:
			errs = append(errs, errProxyURL) // err quotes the URL, which may contain a password
		case u.User != nil:
			errs = append(errs, errProxyUser)
		}
	}
	return errors.Join(errs...)
}
