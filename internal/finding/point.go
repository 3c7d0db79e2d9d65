package finding

import (
	"strconv"
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// Attributes returns the value of an attribute as text, empty if there is none. A Tracker calls it
// with the key of OpenTelemetry, and then with the key that Prometheus makes of that.
type Attributes func(key string) string

// key is the key of an attribute, with dots and as a Prometheus exporter makes it.
type key struct{ dotted, flat string }

func keyOf(name string) key { return key{name, strings.ReplaceAll(name, ".", "_")} }

// get returns an attribute by either key, cleaned, since senders may be hostile.
func (a Attributes) get(k key) string {
	if a == nil {
		return ""
	}
	value := a(k.dotted)
	if value == "" && k.flat != k.dotted {
		value = a(k.flat)
	}
	return clean(value)
}

// maxName is the maximum length of a name, in bytes. The longest names of generic functions seen so
// far have 300.
const maxName = 512

// clean returns a name on one line, valid and at most maxName bytes long.
func clean(name string) string {
	if isPlain(name) {
		return name
	}
	if len(name) > maxName {
		name = name[:maxName]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(name, ""))
}

// isPlain reports whether clean would not change the name. Almost all names are plain.
func isPlain(name string) bool {
	if len(name) > maxName {
		return false
	}
	for i := range len(name) {
		if name[i] < ' ' || name[i] > '~' {
			return false
		}
	}
	return true
}

// Point is one point of a metric.
type Point struct {
	// Metric is the name of the metric, with dots or as Prometheus makes it, with or without
	// suffixes.
	Metric               string
	Resource, Attributes Attributes
	// Start is when a counter began, zero if unknown.
	At, Start time.Time
	Value     float64
}

// attribute returns an attribute of the resource, or of the point if the resource has none.
func (p Point) attribute(k key) string {
	if value := p.Resource.get(k); value != "" {
		return value
	}
	return p.Attributes.get(k)
}

// maxYear is beyond every honest time stamp.
const maxYear = 2200

func (p Point) valid() bool {
	return p.Value >= 0 && p.Value < 1<<64 &&
		p.At.Unix() > 0 && p.At.Year() < maxYear
}

// start returns when the counter began, zero if unknown or impossible.
func (p Point) start() time.Time {
	if p.Start.Unix() <= 0 || p.Start.After(p.At) {
		return time.Time{}
	}
	return p.Start
}

// metric identifies a metric that is read.
type metric uint8

const (
	irrelevant metric = iota
	leakSeverity
	leakCount
	leakRate
	leakStart
	leakAge
	leakExits
	leakEnded
	serviceSeverity
	serviceCount
	serviceRate
	serviceInstances
	instances
	processBuild
	creations
	goroutines
	memoryUsed
	memoryLimit
	memoryGoal
	gcPercent
	originCreations
	originWakeups
	originTraced
	stackAged
	entryAged
)

// rank orders metrics of the same time.
func (m metric) rank() int {
	switch m {
	case creations:
		return 0
	case processBuild:
		return 1
	case originCreations, originWakeups, originTraced, stackAged, entryAged:
		return 3 // after the finding that they belong to
	}
	return 2
}

// Metrics of contrib's runtime instrumentation (OpenTelemetry semantic conventions), and their
// attribute.
const (
	metricMemoryUsed  = "go.memory.used"
	metricMemoryLimit = "go.memory.limit"
	metricMemoryGoal  = "go.memory.gc.goal"
	metricGCPercent   = "go.config.gogc"

	memoryTypeStack = "stack"
)

// The keys of attributes.
var (
	keyNamespace         = keyOf("service.namespace")
	keyServiceName       = keyOf("service.name")
	keyEnvironment       = keyOf("deployment.environment.name")
	keyFormerEnvironment = keyOf("deployment.environment") // before semantic conventions 1.27
	keyCluster           = keyOf("k8s.cluster.name")
	keyK8sNamespace      = keyOf("k8s.namespace.name")
	keyInstance          = keyOf("service.instance.id")

	keyVersion  = keyOf("service.version")
	keyRevision = keyOf("vcs.ref.head.revision")
	keyBuild    = keyOf(telemetry.AttrBuildID)

	keyID        = keyOf(telemetry.AttrLeakID)
	keyEndReason = keyOf(telemetry.AttrLeakEndReason)
	keyState     = keyOf(telemetry.AttrState)
	keyFunction  = keyOf(telemetry.AttrFunction)
	keyFile      = keyOf(telemetry.AttrFile)
	keyLine      = keyOf(telemetry.AttrLine)
	keyEntry     = keyOf(telemetry.AttrEntry)
	keyEntryFile = keyOf(telemetry.AttrEntryFile)

	keySignature = keyOf(telemetry.AttrSignature)
	keyAgeMin    = keyOf(telemetry.AttrAgeMin)

	keyMemoryType = keyOf("go.memory.type")

	keyClass       = keyOf(telemetry.AttrOriginClass)
	keyCaught      = keyOf(telemetry.AttrOriginCaught)
	keyCreatorType = keyOf(telemetry.AttrCreatorType)
	keyWakerCall   = keyOf(telemetry.AttrWakerCall)
	creatorKeys    = lineKeys{keyOf(telemetry.AttrCreatorFunction), keyOf(telemetry.AttrCreatorFile), keyOf(telemetry.AttrCreatorLine)}
	ownKeys        = lineKeys{keyOf(telemetry.AttrCreatorOwnFunction), keyOf(telemetry.AttrCreatorOwnFile), keyOf(telemetry.AttrCreatorOwnLine)}
	wakerKeys      = lineKeys{keyOf(telemetry.AttrWakerFunction), keyOf(telemetry.AttrWakerFile), keyOf(telemetry.AttrWakerLine)}
)

// lineKeys are the keys of the line of an origin.
type lineKeys struct{ function, file, number key }

// sources are the metrics that a Tracker reads, with the suffix that Prometheus adds to the name.
var sources = [...]struct {
	name, suffix string
	is           metric
}{
	{telemetry.LeakSeverity, "", leakSeverity},
	{telemetry.LeakCount, "", leakCount},
	{telemetry.LeakGrowthRate, "_per_hour", leakRate},
	{telemetry.LeakStartTime, "_seconds", leakStart},
	{telemetry.LeakAgeMin, "_seconds", leakAge},
	{telemetry.LeakExits, "", leakExits},
	{telemetry.LeakEnded, "_total", leakEnded},
	{telemetry.ServiceLeakSeverity, "", serviceSeverity},
	{telemetry.ServiceLeakCount, "", serviceCount},
	{telemetry.ServiceLeakGrowthRate, "_per_hour", serviceRate},
	{telemetry.ServiceLeakInstanceCount, "", serviceInstances},
	{telemetry.ServiceInstanceCount, "", instances},
	{telemetry.ProcessBuild, "", processBuild},
	{telemetry.GoroutineCreations, "_total", creations},
	{telemetry.GoroutineCount, "", goroutines},
	{metricMemoryUsed, "_bytes", memoryUsed},
	{metricMemoryLimit, "_bytes", memoryLimit},
	{metricMemoryGoal, "_bytes", memoryGoal},
	{metricGCPercent, "_percent", gcPercent},
	{telemetry.StackAgedCount, "", stackAged},
	{telemetry.EntryAgedCount, "", entryAged},
	{telemetry.OriginCreations, "_total", originCreations},
	{telemetry.OriginWakeups, "_total", originWakeups},
	{telemetry.OriginTraced, "_seconds_total", originTraced},
}

// metricsByName returns the metrics by all spellings of their names.
func metricsByName() map[string]metric {
	names := make(map[string]metric, 4*len(sources))
	for _, s := range sources {
		for _, name := range Spellings(s.name, s.suffix) {
			names[name] = s.is
		}
	}
	return names
}

// Spellings returns the names under which a metric may come: with dots or underscores, and
// with the suffix that Prometheus adds, or without.
func Spellings(name, suffix string) []string {
	flat := strings.ReplaceAll(name, ".", "_")
	return []string{name, name + suffix, flat, flat + suffix}
}

// parseSeconds parses a number of seconds; it returns 0 on error.
func parseSeconds(text string) time.Duration {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0
	}
	return seconds(n)
}

// sample is a number with its time. It is unknown while At is zero.
type sample struct {
	At    time.Time `json:"at"`
	Value float64   `json:"value"`
}

func (s sample) known() bool { return !s.At.IsZero() }

// set replaces the sample unless the sample is newer, and reports whether it did.
func (s *sample) set(at time.Time, value float64) bool {
	if at.Before(s.At) {
		return false
	}
	*s = sample{at, value}
	return true
}
