package boltfile

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The database of the tests has pages of the least size:
//
//	0, 1  meta; 1 is the newer
//	2     free
//	3     leaf, the root: the buckets "default" (page 4) and "small" (as a whole)
//	4     branch, to the keys from "a" and to those from "m"
//	5     leaf: "a", "b"
//	6, 7  leaf: "m", with a value that ends in page 7
const (
	testPage = minPageSize
	testHigh = 8
)

func database() []byte {
	b := make([]byte, testHigh*testPage)
	putMeta(b, 0, 6)
	putMeta(b, 1, 7)
	small := make([]byte, 2*elementSize+20)
	binary.NativeEndian.PutUint16(small[24:], leafPage)
	putPage(b[3*testPage:], 3, leafPage, 0,
		element{bucketElement, "default", number(4)}, element{bucketElement, "small", small})
	putPage(b[4*testPage:], 4, branchPage, 0, element{5, "a", nil}, element{6, "m", nil})
	putPage(b[5*testPage:], 5, leafPage, 0, element{0, "a", []byte("1")}, element{0, "b", nil})
	putPage(b[6*testPage:], 6, leafPage, 1, element{0, "m", bytes.Repeat([]byte("x"), 1500)})
	return b
}

// number is the value of a bucket that begins at a page.
func number(page uint64) []byte {
	return binary.NativeEndian.AppendUint64(nil, page)[:8:8]
}

func putMeta(b []byte, page int, transaction uint64) {
	at := b[page*testPage:]
	binary.NativeEndian.PutUint64(at, uint64(page))
	m := at[headerSize:]
	binary.NativeEndian.PutUint32(m, magic)
	binary.NativeEndian.PutUint32(m[4:], version)
	binary.NativeEndian.PutUint32(m[8:], testPage)
	binary.NativeEndian.PutUint64(m[16:], 3)
	binary.NativeEndian.PutUint64(m[32:], noFreelist)
	binary.NativeEndian.PutUint64(m[40:], testHigh)
	binary.NativeEndian.PutUint64(m[48:], transaction)
	seal(m)
}

// seal makes the checksum of a meta right.
func seal(m []byte) {
	sum := fnv.New64a()
	_, _ = sum.Write(m[:metaSize-8])
	binary.NativeEndian.PutUint64(m[metaSize-8:], sum.Sum64())
}

// element is one of a page: of a leaf its flags, of a branch its child.
type element struct {
	of    uint64
	key   string
	value []byte
}

func putPage(b []byte, number uint64, flags uint16, overflow uint32, elements ...element) {
	binary.NativeEndian.PutUint64(b, number)
	binary.NativeEndian.PutUint16(b[8:], flags)
	binary.NativeEndian.PutUint16(b[10:], uint16(len(elements)))
	binary.NativeEndian.PutUint32(b[12:], overflow)
	data := headerSize + elementSize*len(elements)
	for i, e := range elements {
		at := headerSize + elementSize*i
		value := e.value
		if flags == leafPage && e.of == bucketElement && len(value) == 8 {
			value = append(value, make([]byte, 8)...) // its sequence
		}
		if flags == branchPage {
			binary.NativeEndian.PutUint32(b[at:], uint32(data-at))
			binary.NativeEndian.PutUint32(b[at+4:], uint32(len(e.key)))
			binary.NativeEndian.PutUint64(b[at+8:], e.of)
		} else {
			binary.NativeEndian.PutUint32(b[at:], uint32(e.of))
			binary.NativeEndian.PutUint32(b[at+4:], uint32(data-at))
			binary.NativeEndian.PutUint32(b[at+8:], uint32(len(e.key)))
			binary.NativeEndian.PutUint32(b[at+12:], uint32(len(value)))
		}
		data += copy(b[data:], e.key)
		data += copy(b[data:], value)
	}
}

func check(b []byte) error { return Check(bytes.NewReader(b), int64(len(b))) }

func TestWhatIsWholePasses(t *testing.T) {
	require.NoError(t, check(database()))
	require.NoError(t, check(nil), "it has yet to begin")
	require.NoError(t, check(append(database(), 1, 2, 3)), "bbolt has it grow ahead")
	for page := range 2 {
		b := database()
		b[page*testPage+headerSize]++
		require.NoError(t, check(b), "the other meta page is valid")
	}
}

func TestAnyCutIsFound(t *testing.T) {
	whole := database()
	for n := 1; n < len(whole); n++ {
		require.Error(t, check(whole[:n]), "cut at byte %d", n)
	}
}

func TestDamageIsFound(t *testing.T) {
	put16 := func(at int, v uint16) func([]byte) {
		return func(b []byte) { binary.NativeEndian.PutUint16(b[at:], v) }
	}
	put32 := func(at int, v uint32) func([]byte) {
		return func(b []byte) { binary.NativeEndian.PutUint32(b[at:], v) }
	}
	put64 := func(at int, v uint64) func([]byte) {
		return func(b []byte) { binary.NativeEndian.PutUint64(b[at:], v) }
	}
	inMeta := func(at int, v uint64) func([]byte) {
		return func(b []byte) {
			m := b[testPage+headerSize:]
			binary.NativeEndian.PutUint64(m[at:], v)
			seal(m)
		}
	}
	const page, header = testPage, headerSize
	for name, tc := range map[string]struct {
		damage func([]byte)
		want   string
	}{
		"both metas":              {func(b []byte) { b[header+48]++; b[page+header+48]++ }, "meta pages"},
		"another page size":       {func(b []byte) { inMeta(8, 2*page)(b) }, "meta pages"},
		"more pages than there":   {inMeta(40, testHigh+1), "shorter"},
		"root is a meta":          {inMeta(16, 1), "refers to page 1"},
		"root is too high":        {inMeta(16, testHigh), "refers to page 8"},
		"freelist is a leaf":      {inMeta(32, 5), "no list of free pages"},
		"freelist is the root":    {func(b []byte) { inMeta(32, 3)(b); put16(3*page+8, freelistPage)(b) }, "page 3 has two places"},
		"number of a page":        {put64(5*page, 6), "page 5 is another one"},
		"flags of a page":         {put16(5*page+8, 3), "page 5: it is of no known kind"},
		"branch of nothing":       {put16(4*page+10, 0), "page 4: it is of no known kind"},
		"count of a leaf":         {put16(5*page+10, 64), "elements end outside"},
		"count of a branch":       {put16(4*page+10, 64), "elements end outside"},
		"page goes on too far":    {put32(6*page+12, 2), "page 6 is another one"},
		"page goes on in another": {put32(5*page+12, 1), "page 6 has two places"},
		"children are the same":   {put64(4*page+header+elementSize+8, 5), "page 5 has two places"},
		"child is its parent":     {put64(4*page+header+8, 4), "page 4 has two places"},
		"key is nothing":          {put32(5*page+header+8, 0), "a key ends outside"},
		"key of a branch":         {put32(4*page+header, 2000), "a key ends outside"},
		"value too long":          {put32(6*page+header+12, 2100), "a value ends outside"},
		"keys of a leaf":          {func(b []byte) { b[5*page+header+2*elementSize] = 'c' }, "not in order"},
		"key before the span":     {func(b []byte) { b[6*page+header+elementSize] = 'l' }, "not in order"},
		"key after the span":      {func(b []byte) { b[5*page+header+2*elementSize+2] = 'n' }, "not in order"},
		"keys of a branch":        {func(b []byte) { b[4*page+header+2*elementSize] = 'z' }, "not in order"},
		"bucket is too short":     {put32(3*page+header+12, 15), "a bucket ends outside"},
		"bucket has no page":      {put32(3*page+header+elementSize+12, 31), "a bucket ends outside"},
		"small bucket":            {func(b []byte) { b[smallBucket(b)+elementSize+8]++ }, "a bucket is of no known kind"},
	} {
		t.Run(name, func(t *testing.T) {
			b := database()
			tc.damage(b)
			assert.ErrorContains(t, check(b), tc.want)
		})
	}
}

// smallBucket returns where the value of the bucket "small" is.
func smallBucket(b []byte) int {
	return bytes.Index(b, []byte("small")) + len("small")
}

// FuzzCheck has any file looked through. It comes to an end, whatever refers to what.
func FuzzCheck(f *testing.F) {
	f.Add(database())
	f.Add(database()[:5*testPage])
	f.Fuzz(func(_ *testing.T, b []byte) {
		if len(b) >= 2*testPage { // or hardly any would come past the checksums
			seal(b[headerSize : headerSize+metaSize])
			seal(b[testPage+headerSize : testPage+headerSize+metaSize])
		}
		_ = check(b)
	})
}
