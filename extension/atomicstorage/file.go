package atomicstorage

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
)

// A file holds all that a client has stored. Lengths and counts are varints, checksums
// are CRC-32 (Castagnoli), 4 bytes, little-endian.
//
//	file   magic, version, number of entries, entries, checksum of all before it
//	entry  length of the key, length of the value, key, value, checksum of the value
//
// The checksum at the end tells when the file is opened whether it is whole. That of a
// value tells later whether it is still what it was.
const (
	magic   = "atomic_file_storage"
	version = 1
)

// Why a file, or a value, is of no use.
var (
	errDamaged = errors.New("the file is damaged")
	errVersion = errors.New("the file is of another version of this storage")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// span is where a value is in a file.
type span struct {
	offset   int64
	size     int
	checksum uint32
}

// read returns the value at s.
func (s span) read(file io.ReaderAt) ([]byte, error) {
	value := make([]byte, s.size)
	if _, err := file.ReadAt(value, s.offset); err != nil {
		return nil, damaged(err)
	}
	if crc32.Checksum(value, castagnoli) != s.checksum {
		return nil, fmt.Errorf("%w: a value is not what was stored", errDamaged)
	}
	return value, nil
}

// damaged returns an error of reading as what it means. A file that is shorter than it
// should be is damaged; one that cannot be read may be whole.
func damaged(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends too early", errDamaged)
	}
	return err
}

// scan reads a file of the given size and returns where each value is. It takes the
// memory of the keys.
func scan(from io.Reader, size int64) (map[string]span, error) {
	s := scanner{in: bufio.NewReader(from), left: size, sum: crc32.New(castagnoli)}
	s.magic()
	if v := s.number(); s.err == nil && v != version {
		return nil, fmt.Errorf("%w: %d, not %d", errVersion, v, version)
	}
	index := make(map[string]span)
	for n := s.number(); n > 0 && s.err == nil; n-- {
		key, place := s.entry()
		index[key] = place
	}
	sum := s.sum.Sum32()
	if end := s.checksum(); s.err == nil && (end != sum || s.left != 0) {
		s.err = fmt.Errorf("%w: its checksum is wrong", errDamaged)
	}
	if s.err != nil {
		return nil, s.err
	}
	return index, nil
}

// scanner reads one part after another, until something fails.
type scanner struct {
	in     *bufio.Reader
	offset int64 // of what comes next
	left   int64 // bytes of the file that are still to come
	sum    hash.Hash32
	err    error
}

// ReadByte makes a scanner an io.ByteReader, for varints.
func (s *scanner) ReadByte() (byte, error) {
	b, err := s.in.ReadByte()
	if err == nil {
		s.take([]byte{b})
	}
	return b, err
}

func (s *scanner) take(b []byte) {
	_, _ = s.sum.Write(b) // never fails, says hash.Hash
	s.offset += int64(len(b))
	s.left -= int64(len(b))
}

func (s *scanner) fail(err error) {
	if s.err == nil && err != nil {
		s.err = damaged(err)
	}
}

func (s *scanner) magic() {
	if s.left < int64(len(magic)) || string(s.bytes(len(magic))) != magic {
		s.fail(fmt.Errorf("%w: it does not begin as one of this storage", errDamaged))
	}
}

func (s *scanner) number() uint64 {
	if s.err != nil {
		return 0
	}
	v, err := binary.ReadUvarint(s)
	s.fail(err)
	return v
}

// length returns a length that the file has room for.
func (s *scanner) length() int {
	n := s.number()
	if s.err == nil && n > uint64(s.left) {
		s.fail(fmt.Errorf("%w: an entry is longer than the file", errDamaged))
	}
	if s.err != nil {
		return 0
	}
	return int(n)
}

func (s *scanner) bytes(n int) []byte {
	if s.err != nil {
		return nil
	}
	b := make([]byte, n)
	_, err := io.ReadFull(s.in, b)
	s.fail(err)
	s.take(b)
	return b
}

func (s *scanner) entry() (key string, place span) {
	keySize, size := s.length(), s.length()
	key = string(s.bytes(keySize))
	place = span{offset: s.offset, size: size}
	if s.err != nil || int64(size) > s.left {
		s.fail(fmt.Errorf("%w: a value is longer than the file", errDamaged))
		return "", span{}
	}
	sum := crc32.New(castagnoli)
	n, err := io.CopyN(io.MultiWriter(s.sum, sum), s.in, int64(size))
	s.offset, s.left = s.offset+n, s.left-n
	s.fail(err)
	if place.checksum = s.checksum(); s.err == nil && place.checksum != sum.Sum32() {
		s.fail(fmt.Errorf("%w: the checksum of a value is wrong", errDamaged))
	}
	return key, place
}

func (s *scanner) checksum() uint32 {
	b := s.bytes(crc32.Size)
	if s.err != nil {
		return 0
	}
	return binary.LittleEndian.Uint32(b)
}

// entry is what is to be written of a key.
type entry struct {
	key   string
	value []byte
}

// write writes a file of n entries and returns where their values are.
func write(to io.Writer, n int, entries func(yield func(entry, error) bool)) (map[string]span, error) {
	w := writer{out: bufio.NewWriter(to), sum: crc32.New(castagnoli)}
	w.bytes([]byte(magic))
	w.number(version)
	w.number(uint64(n))
	index := make(map[string]span, n)
	for e, err := range entries {
		if err != nil {
			return nil, err
		}
		index[e.key] = w.entry(e)
	}
	w.checksum(w.sum.Sum32())
	return index, w.out.Flush()
}

// writer writes one part after another. bufio.Writer remembers the first error.
type writer struct {
	out    *bufio.Writer
	offset int64
	sum    hash.Hash32
}

func (w *writer) bytes(b []byte) {
	_, _ = w.out.Write(b) // told by Flush
	_, _ = w.sum.Write(b) // never fails, says hash.Hash
	w.offset += int64(len(b))
}

func (w *writer) number(v uint64) { w.bytes(binary.AppendUvarint(nil, v)) }

func (w *writer) checksum(sum uint32) { w.bytes(binary.LittleEndian.AppendUint32(nil, sum)) }

func (w *writer) entry(e entry) span {
	w.number(uint64(len(e.key)))
	w.number(uint64(len(e.value)))
	w.bytes([]byte(e.key))
	place := span{offset: w.offset, size: len(e.value), checksum: crc32.Checksum(e.value, castagnoli)}
	w.bytes(e.value)
	w.checksum(place.checksum)
	return place
}

// replace writes a file beside the one at path and renames it. Whatever happens, there
// is the old one or the new one, whole. It reports whether it is the new one; with an
// error, that may be lost again when the machine fails.
func replace(path string, contents func(io.Writer) error) (renamed bool, err error) {
	file, err := os.OpenFile(filepath.Clean(path+temporarySuffix), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return false, err
	}
	err = contents(file)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return false, errors.Join(err, os.Remove(file.Name()))
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return false, err
	}
	return true, syncDirectory(filepath.Dir(path))
}
