package leakdetect

import (
	"errors"
	"fmt"
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
	// Storage is the storage extension in which what is remembered is kept over a
	// restart. Nil is none.
	Storage *component.ID `mapstructure:"storage"`
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
	// A stream costs about 500 bytes, so this bounds the memory at 50 MB. It
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
	errMemoryMetric    = errors.New("'metric' must be the name of a metric")
	errMemoryTwice     = errors.New("'metric' must not have another rule already")
	errMemoryGoroutine = errors.New("'metric' must not be one of the goroutine metrics, which are watched anyway")
	errMemoryMinLeaked = errors.New("'min_leaked' must be at least 1 byte")
)

// Validate returns everything that is wrong, joined.
func (c *Config) Validate() error {
	var errs []error
	for _, rule := range []struct {
		broken bool
		err    error
	}{
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
	return errors.Join(append(errs, c.validateMemory()...)...)
}

func (c *Config) validateMemory() []error {
	var errs []error
	goroutine := goroutineMetrics()
	seen := make(map[string]bool)
	for i, rule := range c.Memory {
		_, isGoroutine := goroutine[rule.Metric]
		for _, check := range []struct {
			broken bool
			err    error
		}{
			{rule.Metric == "", errMemoryMetric},
			{rule.Metric != "" && seen[rule.Metric], errMemoryTwice},
			{isGoroutine, errMemoryGoroutine},
			{rule.MinLeaked < 1, errMemoryMinLeaked},
		} {
			if check.broken {
				errs = append(errs, fmt.Errorf("'memory[%d]' (%q): %w", i, rule.Metric, check.err))
			}
		}
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
