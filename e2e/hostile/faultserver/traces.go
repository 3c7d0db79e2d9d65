package main

import (
	"bytes"
	"encoding/binary"
	"runtime/trace"
	"slices"
	"time"
)

// Some of the format: a header, then batches. A batch is its type, and for
// experiments one byte more, then generation, thread, time and size as varints, then
// data; the end of a generation is a type alone.
const (
	headerLength    = 16
	eventBatch      = 1
	heapGoal        = 38
	experimentBatch = 49
	endOfGeneration = 52
)

// record traces until enough says so.
func record(enough func(size int) bool) []byte {
	var b bytes.Buffer
	if err := trace.Start(&b); err != nil {
		panic(err) // nobody else has asked: the tests do one thing at a time
	}
	for again := time.Tick(10 * time.Millisecond); !enough(b.Len()); {
		<-again
	}
	trace.Stop()
	return b.Bytes()
}

// shortTrace is of some milliseconds.
func shortTrace() []byte { return record(func(int) bool { return true }) }

// longTrace has 10 million events and more: two goroutines pass a ball to and fro, and
// what that makes takes some six bytes.
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

// backwards has the batches of a trace in the opposite order.
func backwards() []byte {
	whole := shortTrace()
	all := batches(whole)
	slices.Reverse(all)
	return append(whole[:headerLength:headerLength], bytes.Join(all, nil)...)
}

// swapped has the first batch of a trace where the last one should be.
func swapped() []byte {
	whole := shortTrace()
	all := batches(whole)
	all[0], all[len(all)-1] = all[len(all)-1], all[0]
	return append(whole[:headerLength:headerLength], bytes.Join(all, nil)...)
}

// hugeGeneration has a trace go on in a generation that is far from its own.
func hugeGeneration() []byte {
	whole := shortTrace()
	return append(whole, binary.AppendUvarint([]byte{eventBatch}, 1<<63)...)
}

// eventsOfNothing is a batch of events that say nothing of goroutines.
func eventsOfNothing() []byte {
	data := bytes.Repeat([]byte{heapGoal, 0, 0}, 20_000)
	b := []byte{eventBatch}
	for _, field := range []uint64{1, 1, 1, uint64(len(data))} {
		b = binary.AppendUvarint(b, field)
	}
	return append(b, data...)
}
