package profile

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

const (
	// mostToRefuse is the most memory for refusing a profile, and mostToAudit the most if an
	// element is damaged, however long the profile is.
	mostToRefuse = 16 << 20
	mostToAudit  = longBody + 256<<10
	// mostToAccept is the most memory for accepting a profile, for each of its bytes.
	mostToAccept = 8
	// always is the memory that gunzip and a decoder take for any input.
	always = 128 << 10
)

// measuresMemory skips a test under the race detector, which takes memory and time. The code
// measured here has one goroutine.
func measuresMemory(t *testing.T) {
	t.Helper()
	if raceDetector {
		t.Skip("memory is measured without the race detector (make cover)")
	}
}

// allocated returns how many bytes f allocates, including garbage, if the pool is empty. It is
// never less than the growth of the heap.
func allocated(f func()) int {
	runtime.GC() // objects in a sync.Pool survive one collection
	runtime.GC()
	return spent(f)
}

// spent returns how many bytes f allocates.
func spent(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

// many returns n copies of part.
func many(n int, part message) message { return bytes.Repeat(part, n) }

// bomb returns the compressed output of write.
func bomb(t *testing.T, write func(io.Writer) error) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if err := write(w); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// repeated writes a part until size bytes are written.
func repeated(part []byte, size int) func(io.Writer) error {
	piece := bytes.Repeat(part, 1<<16/len(part)+1)
	return func(w io.Writer) error {
		for n := 0; n < size; n += len(piece) {
			if _, err := w.Write(piece); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestMemoryToRefuse(t *testing.T) {
	measuresMemory(t)
	sound := message{}.then(small()...)
	wrong := aSample(1, 99)
	claims := compress(t, sound)
	copy(claims[len(claims)-4:], []byte{0xff, 0xff, 0xff, 0x7f})
	for _, tc := range []struct {
		name string
		want error
		most int
		data []byte
	}{
		{"a bomb of zeros", ErrMalformed, mostToAudit, bomb(t, repeated([]byte{0}, 8*plenty))},
		{"a bomb of text", ErrNotProfile, mostToAudit, bomb(t, repeated([]byte("forbidden "), 8*plenty))},
		{"a bomb of unknown fields", ErrTooLarge, mostToAudit, bomb(t, repeated(padding(1), 8*plenty))},
		{"a bomb of strings", ErrTooLarge, mostToAudit, bomb(t, repeated(someStrings("", "some name"), 8*plenty))},
		{"a size that is not true", ErrMalformed, 2 * always, claims},
		{"a million empty labels", ErrMalformed, mostToAudit, compress(t, message{}.bytes(2, many(1<<20, message{}.bytes(3, nil))))},
		{"a million empty samples", ErrMalformed, mostToAudit, compress(t, sound.then(many(1<<20, message{}.bytes(2, nil))))},
		{"a million empty locations", ErrMalformed, mostToAudit, compress(t, sound.then(many(1<<20, message{}.bytes(4, nil))))},
		{"a million empty functions", ErrMalformed, mostToAudit, compress(t, sound.then(many(1<<20, message{}.bytes(5, nil))))},
		{"a million empty lines", ErrMalformed, mostToAudit, compress(t, sound.then(message{}.bytes(4, many(1<<20, message{}.bytes(4, nil)))))},
		{"300,000 lines", ErrMalformed, mostToAudit, compress(t, sound.then(aLocation(3, slicesOf(300_000, aLine(1, 1))...)))},
		{"a million counts", ErrMalformed, mostToAudit, compress(t, sound.then(message{}.bytes(2, message{}.packed(1, 1).bytes(2, make([]byte, 1<<20)))))},
		{"a million strings, one missing", ErrMalformed, mostToAudit, compress(t, with(2, aMapping(1<<30)).then(many(1<<20, message{}.bytes(6, nil))))},
		{"a million mappings, one damaged", ErrMalformed, mostToAudit, compress(t, sound.then(many(1<<20, message{}.bytes(3, nil)), message{}.bytes(3, []byte{0x28})))},
		{"long, and wrong at the end", ErrMalformed, mostToAudit, compress(t, sound.then(many(plenty/4, message{}.bytes(6, nil)), wrong))},
		{"long, plain, and wrong at the end", ErrMalformed, mostToAudit, sound.then(many(plenty/4, message{}.bytes(6, nil)), wrong)},
		{"long, and a name missing", ErrMalformed, mostToAudit, compress(t, sound.then(padding(longBody), aFunction(4, 99, 6)))},
		{"long, and a function missing", ErrMalformed, mostToAudit, compress(t, sound.then(padding(longBody), aLocation(3, aLine(99, 1))))},
		{"long, and of something else", ErrOtherProfile, mostToAudit, compress(t, aSampleType(1, 2).then(someStrings("", "space", "bytes"), padding(plenty/2)))},
		{"a field as long as the limit", ErrMalformed, mostToAudit, compress(t, message{}.bytes(100, make([]byte, plenty/2)).then(sound))},
		{"short, and wrong at the end", ErrMalformed, mostToRefuse, compress(t, sound.then(many(1<<20, message{}.bytes(6, nil))[:longBody-1000], wrong))},
		{"more signatures than there can be", ErrTooLarge, mostToRefuse, compress(t, signatures(300))},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var err error
			n := allocated(func() { _, err = Decode(tc.data, plenty) })
			if !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			if n > tc.most {
				t.Errorf("%d bytes on the wire take %d bytes to refuse", len(tc.data), n)
			}
		})
	}
}

func slicesOf(n int, part message) []message {
	all := make([]message, n)
	for i := range all {
		all[i] = part
	}
	return all
}

// signatures returns a profile of n² signatures of few bytes each: the product of n lines
// and n entries.
func signatures(n int) message {
	m := aSampleType(1, 2).then(someStrings("", "goroutine", "count", "main.go"))
	for i := range uint64(n) {
		m = append(m, someStrings(fmt.Sprintf("main.f%d", i)).then(aFunction(i+1, 4+i, 3), aLocation(i+1, aLine(i+1, 1)))...)
	}
	var samples message
	for i := range uint64(n) {
		for j := range uint64(n) {
			samples = append(samples, aSample(1, uint64(n)+1, i+1, j+1)...)
		}
	}
	// All of them wait.
	return m.then(someStrings("runtime.gopark"), aFunction(uint64(n)+1, uint64(n)+4, 3), aLocation(uint64(n)+1, aLine(uint64(n)+1, 1)), samples)
}

func TestMemoryToAccept(t *testing.T) {
	measuresMemory(t)
	sound := message{}.then(small()...)
	shared := strings.Repeat("\x01", 1024)
	var functions, unordered, named message
	for i := range uint64(50_000) {
		functions = append(functions, aFunction(i+4, 4, 4)...)
		unordered = append(unordered, aFunction(i<<30|0xfff, 4, 4)...)
		named = append(named, aFunction(i+4, 9, 9)...)
	}
	var dirty message
	for i := range uint64(25_000) {
		dirty = append(dirty, someStrings("\x01").then(aFunction(i+4, 9+i, 9+i))...)
	}
	labels := message{}.bytes(2, message{}.packed(1, 1, 2).packed(2, 7).then(many(400_000, message{}.bytes(3, nil))))
	for _, tc := range []struct {
		name string
		data []byte
	}{
		{"30 stacks", gzipped(t, service(30))},
		{"500 stacks", gzipped(t, service(500))},
		{"5,000 stacks", gzipped(t, service(5000))},
		{"20,000 stacks", gzipped(t, service(20_000))},
		{"Go 1.23", fixtures(t)[0]},
		{"Go 1.26", fixtures(t)[2]},
		{"two million empty labels", compress(t, sound.then(many(5, labels)))},
		{"a million empty strings", compress(t, sound.then(many(1<<20, message{}.bytes(6, nil))))},
		{"a million empty mappings", compress(t, sound.then(many(1<<20, message{}.bytes(3, nil))))},
		{"50,000 functions", compress(t, sound.then(functions))},
		{"50,000 functions out of order", compress(t, sound.then(unordered))},
		{"50,000 functions with the same dirty name", compress(t, sound.then(someStrings("", shared), named))},
		{"25,000 dirty names", compress(t, sound.then(someStrings(""), dirty))},
		{"50,000 locations", compress(t, sound.then(locations(50_000, 1)))},
		{"50,000 locations out of order", compress(t, sound.then(locations(50_000, 1<<30)))},
		{"50,000 samples", compress(t, sound.then(many(50_000, aSample(1, 2))))},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var err error
			n := allocated(func() { _, err = Decode(tc.data, plenty) })
			if err != nil {
				t.Fatal(err)
			}
			size := len(gunzip(t, tc.data))
			if n > mostToAccept*size+always {
				t.Errorf("%d bytes take %d bytes of memory, %.1f for each", size, n, float64(n)/float64(size))
			}
		})
	}
}

// locations returns n locations with IDs that are step apart.
func locations(n, step uint64) message {
	var m message
	for i := range n {
		m = append(m, aLocation(3+i*step, aLine(1, 1))...)
	}
	return m
}

// A few bytes must not cause much work: here a location of many lines that many samples refer
// to.
func TestWorkIsBounded(t *testing.T) {
	wide := make([]message, maxFrames/2)
	for i := range wide {
		wide[i] = aLine(1, 1)
	}
	samples := many(1<<17, aSample(1, 3, 3).then(aSample(1, 3)))
	says := refused(t, compress(t, message{}.then(small()...).then(aLocation(3, wide...), samples)), ErrMalformed)
	if !strings.Contains(says, "more frames") {
		t.Error(says)
	}
}

// decoded returns a decoder that has just decoded data.
func decoded(t *testing.T, data []byte) *decoder {
	t.Helper()
	d := new(decoder)
	d.tally.kind.expected = "goroutine"
	body, err := d.open(data, math.MaxInt32)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.tabulate(body); err != nil {
		t.Fatal(err)
	}
	if _, err := d.groupSamples(body); err != nil {
		t.Fatal(err)
	}
	return d
}

// A decoder that has read a long profile is not reused, since it would keep its memory.
func TestOnlySmallDecodersAreReused(t *testing.T) {
	for stacks, reused := range map[int]bool{5000: true, 30_000: false} {
		d := decoded(t, gzipped(t, service(stacks)))
		d.release() // which resets what it reuses
		if got := d.bodySize == 0; got != reused {
			t.Errorf("%d stacks: reused %t, want %t", stacks, got, reused)
		}
	}
}

// A decoder in the pool keeps nothing of the last profile except copies of some names.
func TestReleaseLetsGoOfTheProfile(t *testing.T) {
	d := decoded(t, with(8, someStrings("", "goroutine", "count", "runtime.gopark", "main.\x00", "main.root", "main.go", "/app")))
	d.release()
	n := &d.tables.names
	if n.text != "" || n.body != nil || len(n.replacements) > 0 || n.replacements[:1][0] != "" {
		t.Errorf("strings are kept: %+v", n)
	}
	if list := d.groups.list; len(list) > 0 || list[:1][0] != (stack.Group{}) || len(d.groups.index) > 0 {
		t.Errorf("groups are kept: %+v", d.groups)
	}
	if d.tally != (tally{}) {
		t.Errorf("a tally is kept: %+v", d.tally)
	}
}

func TestCopiesAreTrimmed(t *testing.T) {
	var c copies
	c.intern("x")
	if c.trim(); len(c.all) != 1 {
		t.Error("a few bytes are not kept")
	}
	for i := 0; c.bytes <= maxCopies; i++ {
		c.intern(strings.Repeat("x", i))
	}
	if c.trim(); len(c.all) != 0 || c.bytes != 0 {
		t.Errorf("%d bytes are kept", c.bytes)
	}
}

// A snapshot keeps the names of its signatures in memory, not the string table.
func TestSnapshotKeepsNoMoreThanItsNames(t *testing.T) {
	const unused = 256 << 10
	profiles := make([][]byte, 16)
	for i := range profiles {
		leaf, root := fmt.Sprintf("main.leaf%d", i), fmt.Sprintf("main.root%d", i)
		profiles[i] = with(8, someStrings("", "goroutine", "count", "runtime.gopark", leaf, root, "main.go", "/app", strings.Repeat("x", unused)))
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	snapshots := make([]*stack.Snapshot, len(profiles))
	for i, data := range profiles {
		var err error
		if snapshots[i], err = Decode(data, plenty); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	runtime.GC() // empties the sync.Pool
	runtime.ReadMemStats(&after)
	if n := int(after.HeapAlloc) - int(before.HeapAlloc); n > 4*unused {
		t.Errorf("%d snapshots of one group keep %d bytes", len(snapshots), n)
	}
	runtime.KeepAlive(profiles)
	runtime.KeepAlive(snapshots)
}
