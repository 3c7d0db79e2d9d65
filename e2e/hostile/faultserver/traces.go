package main

import (
	"bytes"
	"encoding/binary"
	"runtime/trace"
	"slices"
	"time"
)

// The format of a trace: a header, then batches. A batch is a type byte, for experiments another byte, then
// generation, thread, time and size as varints, then data. The end of a generation is a type byte alone.
const (
	headerLength    = 16
	eventBatch      = 1
	heapGoal        = 38
	experimentBatch = 49
	endOfGeneration = 52
)

// record traces this process until enough returns true.
func record(enough func(size int) bool) []byte {
	var b bytes.Buffer
	if err := trace.Start(&b); err != nil {
		panic(err) // tests run one at a time
	}
	for again := time.Tick(10 * time.Millisecond); !enough(b.Len()); {
		<-again
	}
	trace.Stop()
	return b.Bytes()
}

// shortTrace returns a trace of some milliseconds.
func shortTrace() []byte { return record(func(int) bool { return true }) }

// longTrace returns a trace of more than 10 million events of about six bytes: two goroutines pass a ball to
// and fro.
func longTrace() []byte {
	ball, done := make(chan struct{}), make(chan struct{})
	for range 2 {
		go func() {
			for {
				select {
				case ball <- struct{}{}:
				case <-ball:
				case <-done:
					return
				}
			}
		}()
	}
	defer close(done)
	begin := time.Now()
	return record(func(int) bool { return time.Since(begin) > 4*time.Second })
}

// batches splits a trace after its header.
func batches(whole []byte) [][]byte {
	var all [][]byte
	for rest := whole[headerLength:]; len(rest) > 0; {
		n := batchLength(rest)
		all = append(all, rest[:n])
		rest = rest[n:]
	}
	return all
}

func batchLength(b []byte) int {
	if b[0] == endOfGeneration {
		return 1
	}
	at := 1
	if b[0] == experimentBatch {
		at++
	}
	var field uint64
	for range 4 {
		v, n := binary.Uvarint(b[at:])
		field, at = v, at+n
	}
	return at + int(field)
}

// backwards returns a trace with its batches in reverse order.
func backwards() []byte {
	whole := shortTrace()
	all := batches(whole)
	slices.Reverse(all)
	return append(whole[:headerLength:headerLength], bytes.Join(all, nil)...)
}

// swapped returns a trace with its first and last batches swapped.
func swapped() []byte {
	whole := shortTrace()
	all := batches(whole)
	all[0], all[len(all)-1] = all[len(all)-1], all[0]
	return append(whole[:headerLength:headerLength], bytes.Join(all, nil)...)
}

// hugeGeneration returns a trace that continues with a generation far from its own.
func hugeGeneration() []byte {
	whole := shortTrace()
	return append(whole, binary.AppendUvarint([]byte{eventBatch}, 1<<63)...)
}

// eventsOfNothing returns a batch of events that are not about goroutines.
func eventsOfNothing() []byte {
	data := bytes.Repeat([]byte{heapGoal, 0, 0}, 20_000)
	b := []byte{eventBatch}
	for _, field := range []uint64{1, 1, 1, uint64(len(data))} {
		b = binary.AppendUvarint(b, field)
	}
	return append(b, data...)
}
