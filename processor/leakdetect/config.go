package leakdetect

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// Config is the configuration of the processor.
type Config struct {
	// MinDuration is the minimum duration of growth that counts as a leak.
	MinDuration time.Duration `mapstructure:"min_duration"`
	// MinLeaked is the minimum number of leaked goroutines.
	MinLeaked int `mapstructure:"min_leaked"`
	// MaxLifetime is the maximum lifetime of a healthy goroutine in the watched services. It
	// may be shorter than MinDuration: then growth must last longer than any healthy
	// goroutine.
	MaxLifetime time.Duration `mapstructure:"max_lifetime"`
	// MaxStreams is the maximum number of watched groups and memory metrics. Others pass
	// through unwatched.
	MaxStreams int `mapstructure:"max_streams"`
	// MaxStale is how long a stream without data is kept. A timestamp that differs by more
	// from the latest one of its resource is ignored until a second one confirms it.
	MaxStale time.Duration `mapstructure:"max_stale"`
	// Memory are the watched memory metrics.
	Memory []MemoryRule `mapstructure:"memory"`
	// Overrides are settings for some processes. The first that matches a resource applies.
	Overrides []Override `mapstructure:"overrides"`
	// Ignore are groups of goroutines that are not flagged.
	Ignore []IgnoreRule `mapstructure:"ignore"`
	// Services enables judging the instances of a service together, in addition. This
	// processor must receive the data of all of them.
	Services bool `mapstructure:"services"`
	// Storage is the storage extension that keeps the state over a restart. If nil, the state
	// is not kept.
	Storage *component.ID `mapstructure:"storage"`
}

// Override has settings for the processes that it matches. A setting that is 0 has the general
// value.
type Override struct {
	// Service is the service.name of matching resources. If empty, it is not compared.
	Service string `mapstructure:"service"`
	// Attributes are attributes of matching resources. A resource must have all.
	Attributes map[string]string `mapstructure:"attributes"`

	MinDuration time.Duration `mapstructure:"min_duration"`
	MinLeaked   int           `mapstructure:"min_leaked"`
	MaxLifetime time.Duration `mapstructure:"max_lifetime"`
}

// IgnoreRule matches groups of goroutines that are not flagged. A group must match each of
// Function, Entry and Signature that is set.
type IgnoreRule struct {
	// Function is the blamed function, code.function.name.
	Function string `mapstructure:"function"`
	// Entry is the entry function.
	Entry string `mapstructure:"entry"`
	// Signature is the signature of the stack.
	Signature string `mapstructure:"signature"`
	// Reason documents why the groups are ignored.
	Reason string `mapstructure:"reason"`
	// Until is the time, or the last day in UTC, until which the groups are ignored. If empty,
	// the rule does not expire.
	Until string `mapstructure:"until"`

	until time.Time // the parsed Until
}

// Unmarshal accepts an unquoted day or time in Until, which YAML parses as a time.
func (r *IgnoreRule) Unmarshal(conf *confmap.Conf) error {
	settings := conf.ToStringMap()
	if until, ok := settings["until"].(time.Time); ok {
		format := time.RFC3339
		if until.Equal(until.Truncate(24 * time.Hour)) {
			format = time.DateOnly
		}
		settings["until"] = until.UTC().Format(format)
	}
	type plain IgnoreRule // without Unmarshal
	return confmap.NewFromStringMap(settings).Unmarshal((*plain)(r))
}

// parseUntil returns the time at which a rule expires, zero if never.
func (r *IgnoreRule) parseUntil() (time.Time, error) {
	if r.Until == "" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, r.Until); err == nil {
		return day.AddDate(0, 0, 1), nil
	}
	return time.Parse(time.RFC3339, r.Until)
}

// ignoreList returns the rules of a valid configuration.
func (c *Config) ignoreList() ignoreList {
	list := make(ignoreList, len(c.Ignore))
	for i, r := range c.Ignore {
		// Validate has checked it.
		r.until, _ = r.parseUntil()
		list[i] = r
	}
	return list
}

// MemoryRule is a metric that is watched for memory leaks. Each of its attribute sets is a stream.
type MemoryRule struct {
	// Metric is the name of a gauge or non-monotonic sum in bytes.
	Metric string `mapstructure:"metric"`
	// MinLeaked is the minimum growth in bytes.
	MinLeaked int64 `mapstructure:"min_leaked"`
}

// Unmarshal sets the default of MinLeaked.
func (m *MemoryRule) Unmarshal(conf *confmap.Conf) error {
	m.MinLeaked = defaultMinLeakedBytes
	return conf.Unmarshal(m)
}

// Defaults and limits.
const (
	defaultMinDuration = 30 * time.Minute
	defaultMinLeaked   = 10
	defaultMaxLifetime = 12 * time.Hour
	// A stream takes 500 to 700 bytes, so this limits memory to 70 MB. It is enough for 250
	// processes with 200 signatures, the default limit, and as many entries.
	defaultMaxStreams = 100_000
	// The history of a group must survive a night in which its service is scaled in.
	defaultMaxStale = 24 * time.Hour
	// Pools, caches and the headroom of the garbage collector grow by tens of MiB in a healthy
	// service.
	defaultMinLeakedBytes = 64 << 20
	// minThreshold is the least of the durations. It refuses numbers without a unit, which are
	// nanoseconds.
	minThreshold = time.Second
	// maxMinDuration prevents the longest horizon of package growth, 64 times min_duration,
	// from overflowing a timestamp.
	maxMinDuration = 30 * 24 * time.Hour
)

// defaultMemory returns the metrics for the memory of a Go process, by each of their names in
// Prometheus. All fall after a garbage collection. The resident size of the process is not
// included: it would flag the same leak again.
func defaultMemory() []MemoryRule {
	return []MemoryRule{
		{Metric: "go.memory.used", MinLeaked: defaultMinLeakedBytes},
		{Metric: "go_memory_used_bytes", MinLeaked: defaultMinLeakedBytes},
		{Metric: "go_memory_used", MinLeaked: defaultMinLeakedBytes},
		{Metric: "go.memory.used_bytes", MinLeaked: defaultMinLeakedBytes},
		{Metric: "go_memstats_heap_inuse_bytes", MinLeaked: defaultMinLeakedBytes},
	}
}

func defaultConfig() *Config {
	return &Config{
		MinDuration: defaultMinDuration,
		MinLeaked:   defaultMinLeaked,
		MaxLifetime: defaultMaxLifetime,
		MaxStreams:  defaultMaxStreams,
		MaxStale:    defaultMaxStale,
		Memory:      defaultMemory(),
		Services:    true,
	}
}

// Errors of Validate.
var (
	errMinDuration     = errors.New("'min_duration' must be at least 1s; a number needs a unit, such as 30m")
	errMinDurationLong = fmt.Errorf("'min_duration' must be at most %v", maxMinDuration)
	errMinLeaked       = errors.New("'min_leaked' must be at least 1 goroutine")
	errMaxLifetime     = errors.New("'max_lifetime' must be at least 1s; a number needs a unit, such as 12h")
	errMaxStreams      = errors.New("'max_streams' must be at least 1")
	errMaxStale        = errors.New("'max_stale' must be at least 'min_duration', or streams are forgotten before they can be judged")
	errOverrideWhom    = errors.New("must have 'service' or 'attributes', or it would match everything")
	errOverrideNothing = errors.New("must have one of 'min_duration', 'min_leaked' and 'max_lifetime'")
	errOverrideLeaked  = errors.New("'min_leaked' must not be negative")
	errOverrideStale   = errors.New("'min_duration' must be at most 'max_stale'")
	errIgnoreAll       = errors.New("must have 'function', 'entry' or 'signature', or it would ignore everything")
	errIgnorePattern   = errors.New("'*' is not a pattern: 'function', 'entry' and 'signature' are compared literally")
	errIgnoreReason    = errors.New("'reason' is required")
	errIgnoreUntil     = errors.New("'until' must be a day (2026-12-31) or a time (2026-12-31T18:00:00Z)")
	errMemoryMetric    = errors.New("'metric' must be the name of a metric")
	errMemoryTwice     = errors.New("'metric' must not have another rule already")
	errMemoryGoroutine = errors.New("'metric' must not be a goroutine metric: these are always watched")
	errMemoryMinLeaked = errors.New("'min_leaked' must be at least 1 byte")
)

// Validate returns all errors of the configuration, joined.
func (c *Config) Validate() error {
	var errs []error
	for _, rule := range []check{
		{c.MinDuration < minThreshold, errMinDuration},
		{c.MinDuration > maxMinDuration, errMinDurationLong},
		{c.MinLeaked < 1, errMinLeaked},
		{c.MaxLifetime < minThreshold, errMaxLifetime},
		{c.MaxStreams < 1, errMaxStreams},
		{c.MaxStale < c.MinDuration, errMaxStale},
	} {
		if rule.failed {
			errs = append(errs, rule.err)
		}
	}
	errs = append(errs, c.validateOverrides()...)
	errs = append(errs, c.validateIgnore()...)
	return errors.Join(append(errs, c.validateMemory()...)...)
}

// check is a validation of an entry of a list.
type check struct {
	failed bool
	err    error
}

func failedChecks(entry string, checks []check) []error {
	var errs []error
	for _, c := range checks {
		if c.failed {
			errs = append(errs, fmt.Errorf("%s: %w", entry, c.err))
		}
	}
	return errs
}

func (c *Config) validateOverrides() []error {
	var errs []error
	for i, o := range c.Overrides {
		errs = append(errs, failedChecks(fmt.Sprintf("'overrides[%d]'", i), []check{
			{o.Service == "" && len(o.Attributes) == 0, errOverrideWhom},
			{o.MinDuration == 0 && o.MinLeaked == 0 && o.MaxLifetime == 0, errOverrideNothing},
			{o.MinLeaked < 0, errOverrideLeaked},
			{o.MinDuration != 0 && o.MinDuration < minThreshold, errMinDuration},
			{o.MaxLifetime != 0 && o.MaxLifetime < minThreshold, errMaxLifetime},
			{o.MinDuration > maxMinDuration, errMinDurationLong},
			{o.MinDuration > c.MaxStale, errOverrideStale},
		})...)
	}
	return errs
}

func (c *Config) validateIgnore() []error {
	var errs []error
	for i, r := range c.Ignore {
		_, err := r.parseUntil()
		errs = append(errs, failedChecks(fmt.Sprintf("'ignore[%d]'", i), []check{
			{r.Function == "" && r.Entry == "" && r.Signature == "", errIgnoreAll},
			{slices.Contains([]string{r.Function, r.Entry, r.Signature}, "*"), errIgnorePattern},
			{r.Reason == "", errIgnoreReason},
			{err != nil, errIgnoreUntil},
		})...)
	}
	return errs
}

func (c *Config) validateMemory() []error {
	var errs []error
	goroutine := goroutineMetrics()
	seen := make(map[string]bool)
	for i, rule := range c.Memory {
		_, isGoroutine := goroutine[rule.Metric]
		errs = append(errs, failedChecks(fmt.Sprintf("'memory[%d]' (%q)", i, rule.Metric), []check{
			{rule.Metric == "", errMemoryMetric},
			{rule.Metric != "" && seen[rule.Metric], errMemoryTwice},
			{isGoroutine, errMemoryGoroutine},
			{rule.MinLeaked < 1, errMemoryMinLeaked},
		})...)
		seen[rule.Metric] = true
	}
	return errs
}

// rules returns the rules for goroutines.
func (c *Config) rules() growth.Rules {
	return growth.Rules{
		MinDuration: c.MinDuration,
		MinLeaked:   float64(c.MinLeaked),
		MaxLifetime: c.MaxLifetime,
	}
}

// memoryRules returns the rules for a memory metric.
func (c *Config) memoryRules(m MemoryRule) growth.Rules {
	r := c.rules()
	r.MinLeaked = float64(m.MinLeaked)
	return r
}
