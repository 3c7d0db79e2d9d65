// Package telemetry defines the names, units and attribute keys of all metrics and events that this
// project emits or reads.
package telemetry

// Metrics of the census, from the receiver and from instrument. The unit is UnitGoroutine.
const (
	GoroutineCount     = "go.goroutine.count" // OpenTelemetry semantic conventions
	GoroutineCreations = "goroutine.creations"

	StackCount       = "goroutine.stack.count"
	StackAgedCount   = "goroutine.stack.aged.count"
	StackAgedExits   = "goroutine.stack.aged.exits"
	StackLeakedCount = "goroutine.stack.leaked.count"

	EntryCount     = "goroutine.entry.count"
	EntryAgedCount = "goroutine.entry.aged.count"
	EntryAgedExits = "goroutine.entry.aged.exits"
)

// ProcessBuild is a metric of value 1 with attributes of the build of a process.
const ProcessBuild = "goroutine.process.build"

// Metrics of where goroutines come from, from traces that are long enough to contain births.
const (
	OriginCreations = "goroutine.origin.sampled.creations"
	OriginWakeups   = "goroutine.origin.sampled.wakeups"
	OriginLifetime  = "goroutine.origin.sampled.lifetime" // a histogram
	OriginTraced    = "goroutine.origin.traced"
)

// EventOrigin is the name of the event that describes where goroutines come from.
const EventOrigin = "goroutine.origin"

// Metrics of a scrape, only from the receiver.
const (
	ScrapeUp       = "goroutine.scrape.up"
	ScrapeFailures = "goroutine.scrape.failures"
	ScrapeDuration = "goroutine.scrape.duration"
)

// Metrics of the instrumented process, only from instrument.
const (
	StateCount     = "goroutine.state.count"
	SampleDuration = "goroutine.sample.duration"
	SampleInterval = "goroutine.sample.interval"

	ProcessCPUTime = "process.cpu.time" // OpenTelemetry semantic conventions
)

// Metrics that flag a leak, from the processor.
const (
	LeakSeverity   = "goroutine.leak.severity"
	LeakCount      = "goroutine.leak.count"
	LeakGrowthRate = "goroutine.leak.growth_rate"
	LeakStartTime  = "goroutine.leak.start_time"
	LeakAgeMin     = "goroutine.leak.age.min"
	LeakExits      = "goroutine.leak.exits"
	LeakEnded      = "goroutine.leak.ended" // a counter

	// Metrics of a service as a whole, on a resource of the service.
	ServiceLeakSeverity      = "goroutine.leak.service.severity"
	ServiceLeakCount         = "goroutine.leak.service.count"
	ServiceLeakGrowthRate    = "goroutine.leak.service.growth_rate"
	ServiceLeakInstanceCount = "goroutine.leak.service.instance.count"
	ServiceInstanceCount     = "goroutine.service.instance.count"

	MemoryLeakSeverity   = "memory.leak.severity"
	MemoryLeakSize       = "memory.leak.size"
	MemoryLeakGrowthRate = "memory.leak.growth_rate"
)

// EventLeak is the name of the event of a change of a goroutine leak.
const EventLeak = "goroutine.leak"

// Attribute keys. Those in code.*, cpu.*, error.*, process.*, service.* and vcs.* are OpenTelemetry
// semantic conventions.
const (
	AttrSignature      = "goroutine.stack.signature"
	AttrState          = "goroutine.state" // why a goroutine waits, a value of internal/stack
	AttrFunction       = "code.function.name"
	AttrFile           = "code.file.path"
	AttrLine           = "code.line.number"
	AttrEntry          = "goroutine.entry.function.name"
	AttrEntryFile      = "goroutine.entry.file.path"
	AttrAgeMin         = "goroutine.age.min"         // lower bound of an age band, in seconds
	AttrSchedulerState = "goroutine.scheduler.state" // what the Go scheduler does with a goroutine
	AttrScrapeSource   = "goroutine.scrape.source"
	AttrSampleSource   = "goroutine.sample.source"
	AttrErrorType      = "error.type"
	AttrCPUMode        = "cpu.mode"
	AttrBuildID        = "process.executable.build_id.gnu"
	AttrServiceVersion = "service.version"
	AttrRevision       = "vcs.ref.head.revision"
	AttrStackTrace     = "code.stacktrace"

	AttrOriginCaught       = "goroutine.origin.caught" // a value of internal/origin
	AttrOriginClass        = "goroutine.origin.class"  // a value of internal/mistake
	AttrCreatorType        = "goroutine.creator.type"  // go, timer, c
	AttrCreatorFunction    = "goroutine.creator.function.name"
	AttrCreatorFile        = "goroutine.creator.file.path"
	AttrCreatorLine        = "goroutine.creator.line.number"
	AttrCreatorOwnFunction = "goroutine.creator.own.function.name"
	AttrCreatorOwnFile     = "goroutine.creator.own.file.path"
	AttrCreatorOwnLine     = "goroutine.creator.own.line.number"
	AttrWakerFunction      = "goroutine.waker.function.name"
	AttrWakerFile          = "goroutine.waker.file.path"
	AttrWakerLine          = "goroutine.waker.line.number"
	AttrWakerCall          = "goroutine.waker.call.function.name"

	AttrLeakMetric    = "memory.leak.metric" // name of the metric that leaks
	AttrLeakEndReason = "goroutine.leak.end.reason"
	AttrLeakID        = "goroutine.leak.id" // of a finding, 16 hex digits
)

// Attribute keys of leak events, in addition to those of the leak.
const (
	AttrLeakChange          = "goroutine.leak.change"
	AttrLeakCertainty       = "goroutine.leak.certainty"
	AttrLeakCertaintyBefore = "goroutine.leak.certainty.before"
	AttrLeakClass           = "goroutine.leak.class"
	AttrLeakPage            = "goroutine.leak.page" // a URL
	AttrLeakVersionFirst    = "goroutine.leak.version.first"
	AttrLeakVersionLast     = "goroutine.leak.version.last"
	AttrLeakAcquittal       = "goroutine.leak.acquittal"
	AttrLeakPlaces          = "goroutine.leak.places"
	AttrLeakModule          = "goroutine.leak.module" // with version
	AttrLeakCreators        = "goroutine.leak.creators"
	AttrLeakWakers          = "goroutine.leak.wakers"
	AttrLeakVersionClosedBy = "goroutine.leak.version.closed_by"
	AttrLeakIntroduced      = "goroutine.leak.version.introduced"
	AttrLeakVersionAtLatest = "goroutine.leak.version.at_latest"
	AttrLeakMissing         = "goroutine.leak.missing.count"
	AttrLeakStartTime       = "goroutine.leak.start_time"    // Unix seconds
	AttrLeakDetectedTime    = "goroutine.leak.detected_time" // Unix seconds
	AttrLeakAge             = "goroutine.leak.age.min"       // seconds
	AttrLeakExits           = "goroutine.leak.exits"
	AttrLeakCount           = "goroutine.leak.count"
	AttrLeakGrowthRate      = "goroutine.leak.growth_rate" // goroutines an hour
	AttrLeakInstanceCount   = "goroutine.leak.instance.count"
	AttrLeakInstances       = "goroutine.leak.instances"
	AttrServiceInstances    = "goroutine.service.instance.count"
	AttrLeakMemorySize      = "goroutine.leak.memory.size" // bytes, like the next three
	AttrLeakMemoryEach      = "goroutine.leak.memory.per_goroutine"
	AttrLeakMemoryError     = "goroutine.leak.memory.error"
	AttrLeakMemoryStack     = "goroutine.leak.memory.stack"
	AttrLeakMemoryAtLeast   = "goroutine.leak.memory.at_least"
	AttrLeakLimitKind       = "goroutine.leak.limit.kind"
	AttrLeakLimitValue      = "goroutine.leak.limit.value" // goroutines or bytes, by the kind
	AttrLeakLimitTime       = "goroutine.leak.limit.time"  // seconds
	AttrLeakLimitInstance   = "goroutine.leak.limit.instance"
	AttrLeakLimitLearned    = "goroutine.leak.limit.learned"
)

// SignatureVersion is the version of the rules that give a stack its state, blamed function and entry,
// and of the hash of these, AttrSignature. Increment it if the signature of any stack changes. Such
// groups get new identities: their streams end, and saved state about them is invalid. A test with
// internal/stack/testdata/signatures.golden enforces this.
//
//	1  first version
//	2  never blames code that only passes a wait on; state coroutine; callbacks from C
const SignatureVersion = 2

// StateIOWait is the value of AttrState for goroutines that wait for the peer of a connection.
const StateIOWait = "io_wait"

// SignatureOther is the value of AttrSignature, and of AttrEntry, for the sum of groups above the
// limit.
const SignatureOther = "other"

// Units in UCUM. Counts and ranks have an annotation in braces, since for unit 1, a ratio, Prometheus
// would add a suffix to the name.
const (
	UnitGoroutine         = "{goroutine}"
	UnitSeverity          = "{severity}"
	UnitTarget            = "{target}"
	UnitBuild             = "{build}"
	UnitScrape            = "{scrape}"
	UnitWakeup            = "{wakeup}"
	UnitLeak              = "{leak}"
	UnitInstance          = "{instance}"
	UnitGoroutinesPerHour = "{goroutine}/h"
	UnitBytes             = "By"
	UnitBytesPerHour      = "By/h"
	UnitSeconds           = "s"
)
