package goroutinereceiver

import (
	"encoding"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/targetlist"
)

// Default intervals of sources. That of servers is the default of Prometheus' service discovery.
// Files are polled more often, since reading a file costs no server anything.
const (
	defaultPollInterval = 30 * time.Second
	defaultFileInterval = 5 * time.Second
)

// FileSDConfig are files with lists of targets, in the format of Prometheus' file_sd.
type FileSDConfig struct {
	// Files are the paths of the files, or patterns of filepath.Match.
	Files []string `mapstructure:"files"`
	// Interval is the time between two polls.
	Interval time.Duration `mapstructure:"interval"`
	// Labels are defaults for the labels of the targets.
	Labels map[string]string `mapstructure:"labels"`
}

// HTTPSDConfig is a server with a list of targets, in the format of Prometheus' http_sd.
type HTTPSDConfig struct {
	// ClientConfig configures the HTTP client. Its endpoint is the URL of the list.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
	// Interval is the time between two polls.
	Interval time.Duration `mapstructure:"interval"`
	// Labels are defaults for the labels of the targets.
	Labels map[string]string `mapstructure:"labels"`
}

// DNSConfig are names whose records are targets.
type DNSConfig struct {
	Names []string `mapstructure:"names"`
	// Type is the type of the records: A, AAAA or SRV.
	Type string `mapstructure:"type"`
	// Port is the port of the targets. SRV records have their own.
	Port int `mapstructure:"port"`
	// Interval is the time between two polls.
	Interval time.Duration `mapstructure:"interval"`
	// Labels are the labels of the targets.
	Labels map[string]string `mapstructure:"labels"`
}

// TargetAllocatorConfig is an OpenTelemetry Target Allocator.
type TargetAllocatorConfig struct {
	// ClientConfig configures the HTTP client. Its endpoint is the URL of the allocator.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
	// Interval is the time between two polls.
	Interval time.Duration `mapstructure:"interval"`
	// CollectorID is the name of this collector in the allocator.
	CollectorID string `mapstructure:"collector_id"`
	// Job is the job whose targets are scraped. If empty, the targets of all jobs are.
	Job string `mapstructure:"job"`
	// Labels are defaults for the labels of the targets.
	Labels map[string]string `mapstructure:"labels"`
}

// ShardConfig selects a shard of the targets.
type ShardConfig struct {
	// Index is the index of this shard, from 0.
	Index ShardIndex `mapstructure:"index"`
	// Count is the number of shards. If 0, sharding is disabled.
	Count int `mapstructure:"count"`
}

// ShardIndex is a number, or the name of a pod of a StatefulSet, which ends in its ordinal.
type ShardIndex int

// noShard is the index of a receiver that scrapes all targets.
const noShard ShardIndex = -1

var (
	_ confmap.Unmarshaler      = (*FileSDConfig)(nil)
	_ confmap.Unmarshaler      = (*HTTPSDConfig)(nil)
	_ confmap.Unmarshaler      = (*DNSConfig)(nil)
	_ confmap.Unmarshaler      = (*TargetAllocatorConfig)(nil)
	_ encoding.TextUnmarshaler = (*ShardIndex)(nil)
)

var (
	errPollInterval      = errors.New(`"interval" must be at least 1s; a number needs a unit, such as 30s`)
	errFiles             = errors.New(`"files" must have the paths of files that end in .json, .yaml or .yml, such as /etc/targets/*.json`)
	errListEndpoint      = errors.New(`"endpoint" must be a URL, such as http://10.0.0.5:8080/targets`)
	errCollectorID       = errors.New(`"collector_id" is required: the name by which the allocator knows this collector, such as ${env:POD_NAME}`)
	errNames             = errors.New(`"names" must have the names of hosts or services, such as cart.shop.svc.cluster.local`)
	errRecordType        = errors.New(`"type" must be A, AAAA or SRV`)
	errPort              = errors.New(`"port" must be from 1 to 65535 for records of type A and AAAA, and absent for SRV, which have their own`)
	errShardIndex        = errors.New(`"shard::index" must be a number, or the name of a StatefulSet's pod, which ends in one`)
	errShard             = errors.New(`"shard" needs an "index" from 0 and a "count" above it`)
	errTooManyShards     = fmt.Errorf(`"shard::count" must be at most %d`, maxShards)
	errShardAndAllocator = errors.New(`"shard" and "target_allocator" are both set: the allocator already distributes the targets`)
)

// maxShards bounds the cost of sharding: each target is scored with each shard.
const maxShards = 1000

// minPollInterval is the minimum interval between two polls of a source.
const minPollInterval = time.Second

// Unmarshal refuses unknown keys, like the methods below: confighttp's Unmarshal accepts any key
// at any depth of the receiver's configuration.
func (c *FileSDConfig) Unmarshal(conf *confmap.Conf) error {
	c.Interval = defaultFileInterval
	return conf.Unmarshal(c)
}

// Unmarshal refuses unknown keys.
func (c *DNSConfig) Unmarshal(conf *confmap.Conf) error {
	c.Type, c.Interval = recordSRV, defaultPollInterval
	return conf.Unmarshal(c)
}

// Unmarshal refuses unknown keys.
func (c *HTTPSDConfig) Unmarshal(conf *confmap.Conf) error {
	c.ClientConfig, c.Interval = defaultClientConfig(), defaultPollInterval
	if err := refuseUnknownKeys(conf, reflect.TypeFor[HTTPSDConfig]()); err != nil {
		return err
	}
	return conf.Unmarshal(c)
}

// Unmarshal refuses unknown keys.
func (c *TargetAllocatorConfig) Unmarshal(conf *confmap.Conf) error {
	c.ClientConfig, c.Interval = defaultClientConfig(), defaultPollInterval
	if err := refuseUnknownKeys(conf, reflect.TypeFor[TargetAllocatorConfig]()); err != nil {
		return err
	}
	return conf.Unmarshal(c)
}

// UnmarshalText parses a number, or the name of a pod of a StatefulSet.
//
//	2           ->  2
//	detector-2  ->  2
func (i *ShardIndex) UnmarshalText(text []byte) error {
	ordinal := string(text)
	if last := strings.LastIndexByte(ordinal, '-'); last > 0 {
		ordinal = ordinal[last+1:]
	}
	n, err := strconv.ParseUint(ordinal, 10, 31)
	if err != nil {
		return fmt.Errorf("%w, not %q", errShardIndex, text)
	}
	*i = ShardIndex(n)
	return nil
}

// Validate checks the configuration.
func (c *FileSDConfig) Validate() error {
	errs := []error{validateInterval(c.Interval)}
	if len(c.Files) == 0 {
		errs = append(errs, errFiles)
	}
	for _, pattern := range c.Files {
		if _, err := filepath.Match(pattern, ""); err != nil || formatOf(pattern) == nil {
			errs = append(errs, fmt.Errorf("%w, not %q", errFiles, pattern))
		}
	}
	return errors.Join(errs...)
}

// Validate checks the configuration.
func (c *HTTPSDConfig) Validate() error {
	return errors.Join(validateInterval(c.Interval), validateListEndpoint(c.ClientConfig), validateClient(c.ClientConfig))
}

// Validate checks the configuration.
func (c *DNSConfig) Validate() error {
	errs := []error{validateInterval(c.Interval)}
	if len(c.Names) == 0 || slices.Contains(c.Names, "") {
		errs = append(errs, errNames)
	}
	switch c.Type {
	case recordA, recordAAAA:
		if c.Port < 1 || c.Port > 65535 {
			errs = append(errs, errPort)
		}
	case recordSRV:
		if c.Port != 0 {
			errs = append(errs, errPort)
		}
	default:
		errs = append(errs, fmt.Errorf("%w, not %q", errRecordType, c.Type))
	}
	return errors.Join(errs...)
}

// isSet reports whether an allocator is configured.
func (c *TargetAllocatorConfig) isSet() bool {
	return c.ClientConfig.Endpoint != "" || c.CollectorID != "" || c.Job != "" || c.Interval != 0
}

// Validate checks the configuration, if an allocator is configured.
func (c *TargetAllocatorConfig) Validate() error {
	if !c.isSet() {
		return nil
	}
	errs := []error{validateInterval(c.Interval), validateListEndpoint(c.ClientConfig), validateClient(c.ClientConfig)}
	if c.CollectorID == "" {
		errs = append(errs, errCollectorID)
	}
	return errors.Join(errs...)
}

// Validate checks the configuration, if sharding is enabled.
func (c *ShardConfig) Validate() error {
	switch {
	case c.Count == 0 && c.Index == noShard:
		return nil
	case c.Count > maxShards:
		return errTooManyShards
	case c.Index < 0 || int(c.Index) >= c.Count:
		return fmt.Errorf("%w; index is %d and count %d", errShard, c.Index, c.Count)
	}
	return nil
}

func (c *ShardConfig) shard() targetlist.Shard {
	return targetlist.Shard{Index: int(c.Index), Count: c.Count}
}

func validateInterval(interval time.Duration) error {
	if interval < minPollInterval {
		return errPollInterval
	}
	return nil
}

func validateListEndpoint(cfg confighttp.ClientConfig) error {
	u, err := url.Parse(cfg.Endpoint)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return errListEndpoint // err quotes the URL, which may contain a password
	case u.User != nil:
		return fmt.Errorf(`%w, without user and password; "headers" and "auth" are for these`, errListEndpoint)
	}
	return nil
}

// hasDiscovery reports whether any source of targets is configured.
func (c *Config) hasDiscovery() bool {
	return len(c.FileSD)+len(c.HTTPSD)+len(c.DNS) > 0 || c.TargetAllocator.isSet()
}
