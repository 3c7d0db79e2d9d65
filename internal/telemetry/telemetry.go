// Package telemetry holds the names, units and attribute keys of every metric
// that this project emits or watches, once.
package telemetry

// Metrics of the census, from the receiver and from instrument alike. Unit
// UnitGoroutine throughout.
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

// ProcessBuild is 1, with the build of the program that a process runs.
const ProcessBuild = "goroutine.process.build"

// Metrics of where goroutines come from, off traces that are long enough to show their births.
const (
	OriginCreations = "goroutine.origin.sampled.creations"
	OriginWakeups   = "goroutine.origin.sampled.wakeups"
	OriginLifetime  = "goroutine.origin.sampled.lifetime" // a histogram
	OriginTraced    = "goroutine.origin.traced"
)

// EventOrigin is the name of the log record that tells where goroutines come from.
const EventOrigin = "goroutine.origin"

// Metrics of a scrape, from the receiver alone.
const (
	ScrapeUp       = "goroutine.scrape.up"
	ScrapeFailures = "goroutine.scrape.failures"
	ScrapeDuration = "goroutine.scrape.duration"
)

// Metrics of a process that instruments itself, from instrument alone.
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

	// Of a service as a whole, on its own resource.
	ServiceLeakSeverity      = "goroutine.leak.service.severity"
	ServiceLeakCount         = "goroutine.leak.service.count"
	ServiceLeakGrowthRate    = "goroutine.leak.service.growth_rate"
	ServiceLeakInstanceCount = "goroutine.leak.service.instance.count"
	ServiceInstanceCount     = "goroutine.service.instance.count"

	MemoryLeakSeverity   = "memory.leak.severity"
	MemoryLeakSize       = "memory.leak.size"
	MemoryLeakGrowthRate = "memory.leak.growth_rate"
)

// EventLeak is the name of an event: something changed about a goroutine leak.
const EventLeak = "goroutine.leak"

// Attribute keys. Those in code.*, cpu.* and error.* are OpenTelemetry semantic
// conventions.
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

	AttrLeakMetric    = "memory.leak.metric" // the name of the metric that leaks
	AttrLeakEndReason = "goroutine.leak.end.reason"
	AttrLeakID        = "goroutine.leak.id" // of a finding, 16 hex digits
)

// Attribute keys of events about leaks, beside those of the leaks.
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
	AttrLeakModule          = "goroutine.leak.module" // with its version
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
	AttrLeakMemorySize      = "goroutine.leak.memory.size" // bytes, as the next three
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

// SignatureVersion is the version of the rules by which a stack is read: its state, the
// blamed function, the entry, and the hash of these that is AttrSignature. A change of
// what any stack is read as, or of the hash, makes it one higher. It ends the identities of
// the groups that it concerns: their streams break off, and what was remembered of them is
// of no use. internal/stack/testdata/signatures.golden holds the version to the rules.
//
//	1  the first
//	2  blames nobody who only passes a wait on; state coroutine, callbacks from C
const SignatureVersion = 2

// StateIOWait is the value of AttrState of goroutines that wait for the other end of a
// connection.
const StateIOWait = "io_wait"

// SignatureOther is the value of AttrSignature, and of AttrEntry, under which
// the groups beyond the limit are summed.
const SignatureOther = "other"

// Units, in UCUM. What is merely counted or ranked has an annotation in braces. The unit
// 1 means a ratio, and Prometheus would add it to the name.
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
