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

// Config says what counts as a leak, and bounds what is remembered.
type Config struct {
	// MinDuration is the shortest time over which growth counts.
	MinDuration time.Duration `mapstructure:"min_duration"`
	// MinLeaked is the least number of goroutines that is worth a flag.
	MinLeaked int `mapstructure:"min_leaked"`
	// MaxLifetime is the longest that a healthy goroutine of the watched
	// services reasonably lives. It may be shorter than MinDuration: then
	// growth must last for longer than any healthy goroutine does.
	MaxLifetime time.Duration `mapstructure:"max_lifetime"`
	// MaxStreams is how many groups and memory metrics are watched at most.
	// What comes above that is passed on unwatched.
	MaxStreams int `mapstructure:"max_streams"`
	// MaxStale is after how long without data, by the time of the data, a
	// stream is forgotten. A time stamp further than that from the last of
	// its resource is not believed before a second one confirms it.
	MaxStale time.Duration `mapstructure:"max_stale"`
	// Memory says which memory metrics are watched. None if empty.
	Memory []MemoryRule `mapstructure:"memory"`
	// Overrides are other settings for some processes. The first that matches a
	// resource holds for it.
	Overrides []Override `mapstructure:"overrides"`
	// Ignore lists groups of goroutines that are not flagged.
	Ignore []IgnoreRule `mapstructure:"ignore"`
	// Services tells whether the instances of a service are judged together as well. All of
	// their data must come to this processor.
	Services bool `mapstructure:"services"`
	// Storage is the storage extension in which what is remembered is kept over a
	// restart. Nil is none.
	Storage *component.ID `mapstructure:"storage"`
}

// Override is other settings for the processes that match it. A setting that is 0 is the
// general one.
type Override struct {
	// Service is the service.name of the resources that are meant. Any if empty.
	Service string `mapstructure:"service"`
	// Attributes are those that the resources that are meant have, all of them.
	Attributes map[string]string `mapstructure:"attributes"`

	MinDuration time.Duration `mapstructure:"min_duration"`
	MinLeaked   int           `mapstructure:"min_leaked"`
	MaxLifetime time.Duration `mapstructure:"max_lifetime"`
}

// IgnoreRule names groups of goroutines that are not flagged. Of Function, Entry and
// Signature all that are set must be those of the group.
type IgnoreRule struct {
	// Function is the blamed function, code.function.name.
	Function string `mapstructure:"function"`
	// Entry is the function that the goroutines were started with.
	Entry string `mapstructure:"entry"`
	// Signature is the signature of their stack.
	Signature string `mapstructure:"signature"`
	// Reason is why they are ignored, for those who read the configuration later.
	Reason string `mapstructure:"reason"`
	// Until is the last day, in UTC, or the time, on which they are ignored. For ever
	// if empty.
	Until string `mapstructure:"until"`

	until time.Time // the end of Until
}

// Unmarshal takes a day or time that is not quoted, which YAML makes a time of.
func (r *IgnoreRule) Unmarshal(conf *confmap.Conf) error {
	settings := conf.ToStringMap()
	if until, ok := settings["until"].(time.Time); ok {
		format := time.RFC3339
		if until.Equal(until.Truncate(24 * time.Hour)) {
			format = time.DateOnly
		}
		settings["until"] = until.UTC().Format(format)
	}
	type plain IgnoreRule // which has no Unmarshal to be called again
	return confmap.NewFromStringMap(settings).Unmarshal((*plain)(r))
}

// parseUntil returns when a rule is over; zero is never.
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
		// Validate has parsed it before.
		r.until, _ = r.parseUntil()
		list[i] = r
	}
	return list
}

// MemoryRule makes one metric watched for memory that leaks. Each of its points'
// attribute sets is watched by itself.
type MemoryRule struct {
	// Metric is the name of a gauge or non-monotonic sum in bytes.
	Metric string `mapstructure:"metric"`
	// MinLeaked is the least growth, in bytes, that is worth a flag.
	MinLeaked int64 `mapstructure:"min_leaked"`
}

// Unmarshal lets a rule that does not say how much is worth a flag have the
// default.
func (m *MemoryRule) Unmarshal(conf *confmap.Conf) error {
	m.MinLeaked = defaultMinLeakedBytes
	return conf.Unmarshal(m)
}

// The defaults, and why they are what they are. Those of the first three are the
// design's.
const (
	defaultMinDuration = 30 * time.Minute
	defaultMinLeaked   = 10
	defaultMaxLifetime = 12 * time.Hour
	// A stream costs 500 to 700 bytes, so this bounds the memory at 70 MB. It
	// is enough for 250 processes at the default limit of 200 signatures and
	// as many entries.
	defaultMaxStreams = 100_000
	// What was seen of a population must outlive a night in which its service
	// is scaled in, and the load of the next day finds it there.
	defaultMaxStale = 24 * time.Hour
	// Pools, caches and the headroom that the collector of a Go process
	// leaves itself grow by tens of MiB in a healthy service.
	defaultMinLeakedBytes = 64 << 20
	// maxMinDuration keeps the longest horizon of package growth, 64 times
	// min_duration, from overflowing a time stamp. Growth that takes longer
	// than a month to show needs no detector.
	maxMinDuration = 30 * 24 * time.Hour
)

// defaultMemory lists what a Go process reports of the memory that it uses, once
// for each name that Prometheus gives it, and each falls when the garbage collector has run.
// The resident size of a process is not among them: where these are known it
// would flag the same leak a second time.
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

// What can be wrong with a configuration.
var (
	errMinDuration     = errors.New("'min_duration' must be greater than 0")
	errMinDurationLong = fmt.Errorf("'min_duration' must be at most %v", maxMinDuration)
	errMinLeaked       = errors.New("'min_leaked' must be at least 1 goroutine")
	errMaxLifetime     = errors.New("'max_lifetime' must be greater than 0")
	errMaxStreams      = errors.New("'max_streams' must be at least 1")
	errMaxStale        = errors.New("'max_stale' must be at least 'min_duration', or nothing is remembered for long enough to be judged")
	errOverrideWhom    = errors.New("must have 'service' or 'attributes', or it would hold for everything")
	errOverrideNothing = errors.New("must have one of 'min_duration', 'min_leaked' and 'max_lifetime'")
	errOverrideSign    = errors.New("'min_duration', 'min_leaked' and 'max_lifetime' must not be negative")
	errOverrideStale   = errors.New("'min_duration' must be at most 'max_stale'")
	errIgnoreAll       = errors.New("must have 'function', 'entry' or 'signature', or it would ignore everything")
	errIgnorePattern   = errors.New("'*' is no pattern: 'function', 'entry' and 'signature' are compared as they are")
	errIgnoreReason    = errors.New("'reason' must say why")
	errIgnoreUntil     = errors.New("'until' must be a day (2026-12-31) or a time (2026-12-31T18:00:00Z)")
	errMemoryMetric    = errors.New("'metric' must be the name of a metric")
	errMemoryTwice     = errors.New("'metric' must not have another rule already")
	errMemoryGoroutine = errors.New("'metric' must not be one of the goroutine metrics, which are watched anyway")
	errMemoryMinLeaked = errors.New("'min_leaked' must be at least 1 byte")
)

// Validate returns everything that is wrong, joined.
func (c *Config) Validate() error {
	var errs []error
	for _, rule := range []check{
		{c.MinDuration <= 0, errMinDuration},
		{c.MinDuration > maxMinDuration, errMinDurationLong},
		{c.MinLeaked < 1, errMinLeaked},
		{c.MaxLifetime <= 0, errMaxLifetime},
		{c.MaxStreams < 1, errMaxStreams},
		{c.MaxStale < c.MinDuration, errMaxStale},
	} {
		if rule.broken {
			errs = append(errs, rule.err)
		}
	}
	errs = append(errs, c.validateOverrides()...)
	errs = append(errs, c.validateIgnore()...)
	return errors.Join(append(errs, c.validateMemory()...)...)
}

// check is one way in which an entry of a list may be wrong.
type check struct {
	broken bool
	err    error
}

func broken(entry string, checks []check) []error {
	var errs []error
	for _, c := range checks {
		if c.broken {
			errs = append(errs, fmt.Errorf("%s: %w", entry, c.err))
		}
	}
	return errs
}

func (c *Config) validateOverrides() []error {
	var errs []error
	for i, o := range c.Overrides {
		errs = append(errs, broken(fmt.Sprintf("'overrides[%d]'", i), []check{
			{o.Service == "" && len(o.Attributes) == 0, errOverrideWhom},
			{o.MinDuration == 0 && o.MinLeaked == 0 && o.MaxLifetime == 0, errOverrideNothing},
			{o.MinDuration < 0 || o.MinLeaked < 0 || o.MaxLifetime < 0, errOverrideSign},
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
		errs = append(errs, broken(fmt.Sprintf("'ignore[%d]'", i), []check{
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
		errs = append(errs, broken(fmt.Sprintf("'memory[%d]' (%q)", i, rule.Metric), []check{
			{rule.Metric == "", errMemoryMetric},
			{rule.Metric != "" && seen[rule.Metric], errMemoryTwice},
			{isGoroutine, errMemoryGoroutine},
			{rule.MinLeaked < 1, errMemoryMinLeaked},
		})...)
		seen[rule.Metric] = true
	}
	return errs
}

// rules returns those for goroutines.
func (c *Config) rules() growth.Rules {
	return growth.Rules{
		MinDuration: c.MinDuration,
		MinLeaked:   float64(c.MinLeaked),
		MaxLifetime: c.MaxLifetime,
	}
}

// memoryRules returns those for one memory metric.
func (c *Config) memoryRules(m MemoryRule) growth.Rules {
	r := c.rules()
	r.MinLeaked = float64(m.MinLeaked)
	return r
}
