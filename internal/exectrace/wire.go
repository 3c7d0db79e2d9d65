package exectrace

import "encoding/binary"

// The wire format of a trace, as far as it is needed to find batches and events. Decode
// leaves the meaning of the events to golang.org/x/exp/trace.
//
//	trace       header, batches
//	batch       1, generation, thread, time, size, data
//	            49, experiment, generation, thread, time, size, data
//	            52                 (end of a generation, since Go 1.26)
//	data        events; or a table: its type, then entries
//	event       type, time since the previous event, up to four arguments
//
// Types and experiments are a byte; everything else is a varint.

// Types of events and tables. The numbers of a format do not change: a new number means a new
// version.
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

// Statuses of a goroutine.
const (
	goRunnable = 1
	goRunning  = 2
	goSyscall  = 3
	goWaiting  = 4
)

// eventUse is how an event is treated.
type eventUse uint8

const (
	// useUnknown events are invalid in a batch of events.
	useUnknown eventUse = iota
	// useDropped events do not concern goroutines: garbage collection, memory, labels,
	// regions and tasks.
	useDropped
	// useProc events concern processors or the running goroutine.
	useProc
	// useGoroutine events have a goroutine as their first argument.
	useGoroutine
	// useStatus events have the state of a goroutine at the start of the generation, or all
	// through it.
	useStatus
)

// eventShape is what is needed to skip an event.
type eventShape struct {
	use eventUse
	// arguments is the number of varints after the time.
	arguments uint8
}

var shapes = [256]eventShape{
	evProcsChange:       {useProc, 2},
	evProcStart:         {useProc, 2},
	evProcStop:          {useProc, 0},
	evProcSteal:         {useProc, 3},
	evProcStatus:        {useProc, 2},
	evGoCreate:          {useGoroutine, 3},
	evGoCreateSyscall:   {useGoroutine, 1},
	evGoStart:           {useGoroutine, 2},
	evGoDestroy:         {useProc, 0},
	evGoDestroySyscall:  {useProc, 0},
	evGoStop:            {useProc, 2},
	evGoBlock:           {useProc, 2},
	evGoUnblock:         {useGoroutine, 3},
	evGoSyscallBegin:    {useProc, 2},
	evGoSyscallEnd:      {useProc, 0},
	evGoSyscallEndBlock: {useProc, 0},
	evGoStatus:          {useStatus, 3},
	evSTWBegin:          {useDropped, 2},
	evSTWEnd:            {useDropped, 0},
	evGCActive:          {useDropped, 1},
	evGCBegin:           {useDropped, 2},
	evGCEnd:             {useDropped, 1},
	evGCSweepActive:     {useDropped, 1},
	evGCSweepBegin:      {useDropped, 1},
	evGCSweepEnd:        {useDropped, 2},
	evGCAssistActive:    {useDropped, 1},
	evGCAssistBegin:     {useDropped, 1},
	evGCAssistEnd:       {useDropped, 0},
	evHeapAlloc:         {useDropped, 1},
	evHeapGoal:          {useDropped, 1},
	evGoLabel:           {useDropped, 1},
	evUserTaskBegin:     {useDropped, 4},
	evUserTaskEnd:       {useDropped, 2},
	evUserRegionBegin:   {useDropped, 3},
	evUserRegionEnd:     {useDropped, 3},
	evUserLog:           {useDropped, 4},
	evGoSwitch:          {useGoroutine, 2},
	evGoSwitchDestroy:   {useGoroutine, 2},
	evGoCreateBlocked:   {useGoroutine, 3},
	evGoStatusStack:     {useStatus, 4},

	// Allocations, with GODEBUG=traceallocfree=1.
	128: {useDropped, 3},
	129: {useDropped, 3},
	130: {useDropped, 1},
	131: {useDropped, 2},
	132: {useDropped, 2},
	133: {useDropped, 1},
	134: {useDropped, 2},
	135: {useDropped, 2},
	136: {useDropped, 1},
}

// event is an event of a batch.
type event struct {
	typ byte
	use eventUse
	// elapsed is the time since the previous event of the batch, in the clock's units.
	elapsed uint64
	// arguments has as many values as the shape of the event says.
	arguments [4]uint64
	// tail is the offset of the arguments in the batch, and end that of the next event.
	tail, end int
}

// readEvent reads the event at data[at:]. It returns false if the event is truncated or of an
// unknown type.
func readEvent(data []byte, at int, e *event) bool {
	e.typ = data[at]
	shape := shapes[e.typ]
	if e.use = shape.use; e.use == useUnknown {
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

// reader reads values from data. Once failed, further values are meaningless.
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

// nextEntry reports whether there is another table entry, and skips its type. If the type is
// another one, the reader fails.
func (r *reader) nextEntry(typ byte) bool {
	if r.failed || r.at >= len(r.data) {
		return false
	}
	r.failed = r.data[r.at] != typ
	r.at++
	return !r.failed
}

// uvarint reads a varint at data[at:] and returns its end.
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
