// Package boltfile looks for damage in the file of a bbolt database, before bbolt does.
//
// bbolt walks through all pages of a file when it opens it and when it rolls a
// transaction back, in a goroutine of its own and through mapped memory. Where the file
// is cut or changed that goroutine ends in a panic or a fault, which nobody can recover
// and which ends the process. Check makes the same walk with plain reads and returns
// an error instead. It reads no values, so its cost does not depend on their size.
package boltfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The flags that say what a page holds; one of them is set.
const (
	branchPage   = 0x01
	leafPage     = 0x02
	freelistPage = 0x10
)

const (
	// headerSize is the size of what each page begins with: its own number, flags,
	// how many elements it has, how many pages it goes on for.
	headerSize = 16
	// elementSize is the size of an element of a page, and also of what a bucket has
	// for a value: the number of its root page, and a sequence.
	elementSize = 16
	// bucketElement is the flag of an element whose value is a bucket.
	bucketElement = 0x01
	// maxKeySize is the longest key that bbolt takes, in bytes.
	maxKeySize = 32768
)

var (
	errCut   = errors.New("it is shorter than it says")
	errMetas = errors.New("neither of its two meta pages is valid")
)

// Check returns an error if the database in a file of size bytes is damaged so that
// bbolt cannot walk through it. A file of no bytes is one that bbolt has yet to begin.
func Check(file io.ReaderAt, size int64) error {
	if size == 0 {
		return nil
	}
	m, ok := newest(file)
	if !ok {
		return errMetas
	}
	if m.high > uint64(size)/m.pageSize {
		return errCut
	}
	w := &walk{file: file, pageSize: m.pageSize, seen: make([]bool, m.high)}
	if err := w.freelist(m.freelist); err != nil {
		return err
	}
	return w.tree(m.root, span{})
}

// walk is what has been seen of a database.
type walk struct {
	file     io.ReaderAt
	pageSize uint64
	seen     []bool // by the number of the page; there are no others
}

// page is where the parts of a page are. One may lie in a value of another.
type page struct {
	at, end int64 // in the file
	flags   uint16
	count   int
}

// span is between which keys those of a page must be: first or after, and before end.
// Nil is no limit.
type span struct{ first, end []byte }

func (w *walk) read(at int64, n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := w.file.ReadAt(b, at); err != nil {
		return nil, err
	}
	return b, nil
}

// page returns the page with this number. Each belongs to one place only.
func (w *walk) page(number uint64) (page, error) {
	high := uint64(len(w.seen))
	if number < 2 || number >= high {
		return page{}, fmt.Errorf("it refers to page %d of %d", number, high)
	}
	at := int64(number * w.pageSize)
	header, err := w.read(at, headerSize)
	if err != nil {
		return page{}, err
	}
	after := number + 1 + uint64(binary.NativeEndian.Uint32(header[12:]))
	if binary.NativeEndian.Uint64(header) != number || after > high {
		return page{}, fmt.Errorf("page %d is another one", number)
	}
	for n := number; n < after; n++ {
		if w.seen[n] {
			return page{}, fmt.Errorf("page %d has two places", n)
		}
		w.seen[n] = true
	}
	return parsePage(header, at, int64(after*w.pageSize)), nil
}

func parsePage(header []byte, at, end int64) page {
	return page{
		at:    at,
		end:   end,
		flags: binary.NativeEndian.Uint16(header[8:]),
		count: int(binary.NativeEndian.Uint16(header[10:])),
	}
}

// freelist looks at the list of free pages, if the database keeps one.
func (w *walk) freelist(number uint64) error {
	if number == noFreelist {
		return nil
	}
	p, err := w.page(number)
	if err != nil {
		return err
	}
	if p.flags != freelistPage || p.at+headerSize+8*int64(p.count) > p.end {
		return fmt.Errorf("page %d is no list of free pages", number)
	}
	return nil
}

// tree walks through a page and all that it leads to.
func (w *walk) tree(number uint64, keys span) error {
	p, err := w.page(number)
	if err != nil {
		return err
	}
	switch {
	case p.flags == branchPage && p.count > 0:
		err = w.branch(p, keys)
	case p.flags == leafPage:
		err = w.leaf(p, keys)
	default:
		err = errors.New("it is of no known kind")
	}
	if err != nil {
		return fmt.Errorf("page %d: %w", number, err)
	}
	return nil
}

// elements returns the elements of a page.
func (w *walk) elements(p page) ([]byte, error) {
	n := elementSize * p.count
	if p.at+headerSize+int64(n) > p.end {
		return nil, errors.New("its elements end outside of it")
	}
	return w.read(p.at+headerSize, n)
}

func (w *walk) branch(p page, keys span) error {
	elements, err := w.elements(p)
	if err != nil {
		return err
	}
	children, starts := make([]uint64, p.count), make([][]byte, p.count+1)
	for i := range p.count {
		e := elements[i*elementSize:]
		position, length := binary.NativeEndian.Uint32(e), binary.NativeEndian.Uint32(e[4:])
		children[i] = binary.NativeEndian.Uint64(e[8:])
		if starts[i], _, err = w.key(p, i, position, length); err != nil {
			return err
		}
	}
	if err := keys.hold(starts[:p.count]); err != nil {
		return err
	}
	starts[p.count] = keys.end
	for i, child := range children {
		if err := w.tree(child, span{starts[i], starts[i+1]}); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) leaf(p page, keys span) error {
	elements, err := w.elements(p)
	if err != nil {
		return err
	}
	all := make([][]byte, p.count)
	for i := range p.count {
		e := elements[i*elementSize:]
		position, length := binary.NativeEndian.Uint32(e[4:]), binary.NativeEndian.Uint32(e[8:])
		key, value, err := w.key(p, i, position, length)
		if err != nil {
			return err
		}
		all[i] = key
		size := int64(binary.NativeEndian.Uint32(e[12:]))
		if value+size > p.end {
			return errors.New("a value ends outside of it")
		}
		if binary.NativeEndian.Uint32(e)&bucketElement != 0 {
			if err := w.bucket(value, value+size); err != nil {
				return err
			}
		}
	}
	return keys.hold(all)
}

// key returns the key of an element, and where in the file it ends.
func (w *walk) key(p page, i int, position, length uint32) (key []byte, end int64, err error) {
	at := p.at + headerSize + int64(i)*elementSize + int64(position)
	end = at + int64(length)
	if length == 0 || length > maxKeySize || end > p.end {
		return nil, 0, errors.New("a key ends outside of it")
	}
	key, err = w.read(at, int(length))
	return key, end, err
}

// bucket walks through a bucket that lies in a value. A small one lies there as a
// whole, others have pages.
func (w *walk) bucket(at, end int64) error {
	if at+elementSize > end {
		return errors.New("a bucket ends outside of it")
	}
	value, err := w.read(at, elementSize)
	if err != nil {
		return err
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		return w.tree(root, span{})
	}
	at += elementSize
	if at+headerSize > end {
		return errors.New("a bucket ends outside of it")
	}
	header, err := w.read(at, headerSize)
	if err != nil {
		return err
	}
	p := parsePage(header, at, end)
	if p.flags != leafPage {
		return errors.New("a bucket is of no known kind")
	}
	return w.leaf(p, span{})
}

// hold tells whether keys lie in the span and in order.
func (s span) hold(keys [][]byte) error {
	for i, key := range keys {
		if i > 0 && bytes.Compare(keys[i-1], key) >= 0 ||
			s.first != nil && bytes.Compare(key, s.first) < 0 ||
			s.end != nil && bytes.Compare(key, s.end) >= 0 {
			return errors.New("its keys are not in order")
		}
	}
	return nil
}
