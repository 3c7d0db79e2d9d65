package profile

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
)

// FuzzDecode requires that any input is either decoded as the peer decodes it or refused,
// within the memory limits. Coverage depends on what is in the pool and differs from run to
// run, so minimizing should be kept short:
//
//	go test -fuzz FuzzDecode -fuzzminimizetime 20x ./internal/profile
func FuzzDecode(f *testing.F) {
	for _, data := range fixtures(f) {
		f.Add(data)
		f.Add(gunzip(f, data))
	}
	f.Add(gzipped(f, service(3)))
	for _, m := range hostile() {
		f.Add([]byte(m))
		f.Add(compress(f, m))
	}
	f.Add(compress(f, compress(f, message{}.then(small()...)))) // gzip in gzip
	// The peer allocates 150 times the size of its input, so large inputs are skipped.
	const maxSize = 64 << 10
	f.Add(compress(f, make([]byte, 100*maxSize)))
	f.Add(compress(f, padding(100*maxSize)))
	f.Fuzz(func(t *testing.T, data []byte) {
		agree(t, data, maxSize)
		var err error
		if n := spent(func() { _, err = Decode(data, maxSize) }); n > mostToAccept*maxSize+always {
			t.Errorf("%d bytes take %d bytes of memory", len(data), n)
		}
		if checked := Check(bytes.NewReader(data), maxSize); checked != nil && err == nil {
			t.Errorf("Check alone refuses it: %v", checked)
		}
		if err != nil {
			checkError(t, err)
		}
	})
}

// hostile returns responses of a hostile endpoint, or of one that serves something else than
// goroutine profiles.
func hostile() []message {
	const most = math.MaxUint64
	parts := small()
	sound := message{}.then(parts...)
	named := func(function string) message {
		return with(8, someStrings("", "goroutine", "count", "runtime.gopark", function, "main.root", "main.go", "/app"))
	}
	return []message{
		sound,
		message{}.then(parts[8]).then(parts[:8]...), // names first
		{},
		message("<html><script>alert(1)</script>"),
		message("goroutine profile: total 1\n"),
		message("go 1.26 trace\x00\x00\x00"),
		with(8, someStrings("", "inuse_space", "bytes")), // a heap profile
		sound[:len(sound)/2],

		// Many empty elements, and a large one.
		after(message{}.bytes(2, many(1000, message{}.bytes(3, nil)))), // labels
		after(many(1000, message{}.bytes(2, nil))),                     // samples
		after(many(1000, message{}.bytes(3, nil))),                     // mappings
		after(many(1000, message{}.bytes(4, nil))),                     // locations
		after(many(1000, someStrings(""))),
		after(someStrings(strings.Repeat("x", 32<<10))),
		after(aSample(1, slices.Repeat([]uint64{1, 2}, 500)...)), // the same two frames, again and again

		// Indices out of range.
		after(aSample(1, 3)),
		after(aSample(0, 3)),
		after(aSample(1, most)),
		after(aLocation(3, aLine(4, 1))),
		after(aFunction(4, 8, most)),
		with(2, aMapping(8)),
		after(aLocation(1<<40, aLine(1, 1)).then(aSample(1, 1<<40))),

		// Counts.
		after(aSample(most, 1, 2)),
		after(aSample(math.MaxInt64, 1, 2)),
		with(1, aSample(math.MaxInt64, 1).then(aSample(1, 2))),

		// Names.
		named("main.\xff\xfe"),
		named("main.\n\r\x1b[31mred\x1b]0;title\a"),
		named("<img src=x onerror=alert(1)>"),
		named(strings.Repeat("long/", 2000)),
	}
}
