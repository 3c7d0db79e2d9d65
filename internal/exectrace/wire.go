package exectrace

import "encoding/binary"

// What is known here of the bytes of a trace: how to find the batches, and how to
// step from one event to the next. What the events say is left to
// golang.org/x/exp/trace, which gets to see those that matter.
//
//	trace       header, batches
//	batch       1, generation, thread, time, size, data
//	            49, experiment, generation, thread, time, size, data
//	            52                 (the end of a generation, from Go 1.26 on)
//	data        events; or a table: its type, then entries
//	event       type, time since the event before, up to four arguments
//
// Types and experiments are a byte; everything else is a varint.

// The types of events and tables that this package names. A format's numbers
// stay what they are: a new one gets a new version.
const (
	evEventBatch        = 1
	evStacks            = 2
	evStack             = 3
	evStrings           = 4
	evString            = 5
	evCPUSamples        = 6
	evFrequency         = 8
	evProcsChange       = 9
	evProcStart         = 10
	evProcStop          = 11
	evProcSteal         = 12
	evProcStatus        = 13
	evGoCreate          = 14
	evGoCreateSyscall   = 15
	evGoStart           = 16
	evGoDestroy         = 17
	evGoDestroySyscall  = 18
	evGoStop            = 19
	evGoBlock           = 20
	evGoUnblock         = 21
	evGoSyscallBegin    = 22
	evGoSyscallEnd      = 23
	evGoSyscallEndBlock = 24
	evGoStatus          = 25
	evSTWBegin          = 26
	evSTWEnd            = 27
	evGCActive          = 28
	evGCBegin           = 29
	evGCEnd             = 30
	evGCSweepActive     = 31
	evGCSweepBegin      = 32
	evGCSweepEnd        = 33
	evGCAssistActive    = 34
	evGCAssistBegin     = 35
	evGCAssistEnd       = 36
	evHeapAlloc         = 37
	evHeapGoal          = 38
	evGoLabel           = 39
	evUserTaskBegin     = 40
	evUserTaskEnd       = 41
	evUserRegionBegin   = 42
	evUserRegionEnd     = 43
	evUserLog           = 44
	evGoSwitch          = 45
	evGoSwitchDestroy   = 46
	evGoCreateBlocked   = 47
	evGoStatusStack     = 48
	evExperimentalBatch = 49
	evSync              = 50
	evEndOfGeneration   = 52
)

// The statuses of a goroutine.
const (
	goRunnable = 1
	goRunning  = 2
	goSyscall  = 3
	goWaiting  = 4
)

// eventUse tells what becomes of an event.
type eventUse uint8

const (
	// unknown events stand in no batch of events.
	unknown eventUse = iota
	// dropped events say nothing of goroutines: collections, memory, labels,
	// regions and tasks.
	dropped
	// kept events tell of processors, or of the goroutine that runs.
	kept
	// naming events are kept, and their first argument is a goroutine.
	naming
	// status events tell how a goroutine stood when the generation began, or
	// all through it.
	status
)

// eventShape is what must be known of an event to step over it.
type eventShape struct {
	use eventUse
	// arguments is the number of varints after the time.
	arguments uint8
}

var shapes = [256]eventShape{
	evProcsChange:       {kept, 2},
	evProcStart:         {kept, 2},
	evProcStop:          {kept, 0},
	evProcSteal:         {kept, 3},
	evProcStatus:        {kept, 2},
	evGoCreate:          {naming, 3},
	evGoCreateSyscall:   {naming, 1},
	evGoStart:           {naming, 2},
	evGoDestroy:         {kept, 0},
	evGoDestroySyscall:  {kept, 0},
	evGoStop:            {kept, 2},
	evGoBlock:           {kept, 2},
	evGoUnblock:         {naming, 3},
	evGoSyscallBegin:    {kept, 2},
	evGoSyscallEnd:      {kept, 0},
	evGoSyscallEndBlock: {kept, 0},
	evGoStatus:          {status, 3},
	evSTWBegin:          {dropped, 2},
	evSTWEnd:            {dropped, 0},
	evGCActive:          {dropped, 1},
	evGCBegin:           {dropped, 2},
	evGCEnd:             {dropped, 1},
	evGCSweepActive:     {dropped, 1},
	evGCSweepBegin:      {dropped, 1},
	evGCSweepEnd:        {dropped, 2},
	evGCAssistActive:    {dropped, 1},
	evGCAssistBegin:     {dropped, 1},
	evGCAssistEnd:       {dropped, 0},
	evHeapAlloc:         {dropped, 1},
	evHeapGoal:          {dropped, 1},
	evGoLabel:           {dropped, 1},
	evUserTaskBegin:     {dropped, 4},
	evUserTaskEnd:       {dropped, 2},
	evUserRegionBegin:   {dropped, 3},
	evUserRegionEnd:     {dropped, 3},
	evUserLog:           {dropped, 4},
	evGoSwitch:          {naming, 2},
	evGoSwitchDestroy:   {naming, 2},
	evGoCreateBlocked:   {naming, 3},
	evGoStatusStack:     {status, 4},

	// The allocations that GODEBUG=traceallocfree=1 adds.
	128: {dropped, 3},
	129: {dropped, 3},
	130: {dropped, 1},
	131: {dropped, 2},
	132: {dropped, 2},
	133: {dropped, 1},
	134: {dropped, 2},
	135: {dropped, 2},
	136: {dropped, 1},
}

// event is an event and where it stands.
type event struct {
	typ byte
	use eventUse
	// elapsed is the time since the event before it in the batch.
	elapsed uint64
	// arguments are as many as its shape says.
	arguments [4]uint64
	// tail is where its arguments begin in the batch, and end where the next
	// event does.
	tail, end int
}

// readEvent reads the event at data[at:]. It returns false if there is none that
// is whole and known.
func readEvent(data []byte, at int, e *event) bool {
	e.typ = data[at]
	shape := shapes[e.typ]
	if e.use = shape.use; e.use == unknown {
		return false
	}
	at++
	var ok bool
	if e.elapsed, at, ok = uvarint(data, at); !ok {
		return false
	}
	e.tail = at
	for i := range shape.arguments {
		if e.arguments[i&3], at, ok = uvarint(data, at); !ok {
			return false
		}
	}
	e.end = at
	return true
}

// reader reads one thing after another, until it fails.
type reader struct {
	data   []byte
	at     int
	failed bool
}

func (r *reader) varint() uint64 {
	v, at, ok := uvarint(r.data, r.at)
	if !ok {
		r.failed = true
		return 0
	}
	r.at = at
	return v
}

// bytes returns the next n bytes.
func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.data)-r.at) {
		r.failed = true
		return nil
	}
	from := r.at
	r.at += int(n)
	return r.data[from:r.at:r.at]
}

// begins tells whether an entry of the type begins here, and steps over the type.
func (r *reader) begins(typ byte) bool {
	if r.failed || r.at >= len(r.data) {
		return false
	}
	r.failed = r.data[r.at] != typ
	r.at++
	return !r.failed
}

// uvarint reads a varint at data[at:] and returns where it ends.
func uvarint(data []byte, at int) (uint64, int, bool) {
	if at < len(data) && data[at] < 0x80 {
		return uint64(data[at]), at + 1, true
	}
	if at > len(data) {
		return 0, at, false
	}
	v, n := binary.Uvarint(data[at:])
	return v, at + n, n > 0
}
