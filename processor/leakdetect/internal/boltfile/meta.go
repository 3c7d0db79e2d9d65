package boltfile

import (
	"encoding/binary"
	"hash/fnv"
	"io"
	"math"
)

const (
	magic   = 0xED0CDAED
	version = 2
	// noFreelist is the number of the page of free pages where none is kept.
	noFreelist = math.MaxUint64
	// metaSize is how many bytes a meta page has after its header, a checksum of
	// those before it at their end.
	metaSize = 64
	// Between these bbolt looks for the second meta page if the first is not valid.
	minPageSize, maxPageSize = 1 << 10, 1 << 24
)

// meta says where a database begins. There are two, and every transaction writes the
// older one anew.
type meta struct {
	pageSize    uint64
	root        uint64 // page
	freelist    uint64 // page
	high        uint64 // all pages have lower numbers
	transaction uint64
}

// newest returns the meta of the last transaction that is valid.
func newest(file io.ReaderAt) (meta, bool) {
	first, ok := readMeta(file, 0)
	if !ok {
		return secondMeta(file)
	}
	second, ok := readMeta(file, int64(first.pageSize))
	if ok && second.transaction > first.transaction {
		return second, second.pageSize == first.pageSize
	}
	return first, true
}

// secondMeta looks for the second meta page where the first does not say how long it is.
func secondMeta(file io.ReaderAt) (meta, bool) {
	for size := int64(minPageSize); size <= maxPageSize; size *= 2 {
		if m, ok := readMeta(file, size); ok {
			return m, m.pageSize == uint64(size)
		}
	}
	return meta{}, false
}

func readMeta(file io.ReaderAt, at int64) (meta, bool) {
	var b [metaSize]byte
	if _, err := file.ReadAt(b[:], at+headerSize); err != nil {
		return meta{}, false
	}
	sum := fnv.New64a()
	_, _ = sum.Write(b[:metaSize-8])
	m := meta{
		pageSize:    uint64(binary.NativeEndian.Uint32(b[8:])),
		root:        binary.NativeEndian.Uint64(b[16:]),
		freelist:    binary.NativeEndian.Uint64(b[32:]),
		high:        binary.NativeEndian.Uint64(b[40:]),
		transaction: binary.NativeEndian.Uint64(b[48:]),
	}
	valid := binary.NativeEndian.Uint32(b[:]) == magic &&
		binary.NativeEndian.Uint32(b[4:]) == version &&
		binary.NativeEndian.Uint64(b[56:]) == sum.Sum64() &&
		m.pageSize >= minPageSize && m.pageSize <= maxPageSize
	return m, valid
}
