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

// A file holds all values of a client. Lengths and counts are varints; checksums are CRC-32
// (Castagnoli), 4 bytes, little-endian.
//
//	file   magic, version, number of entries, entries, checksum of everything before it
//	entry  length of the key, length of the value, key, value, checksum of the value
//
// The checksum at the end verifies the file when it is opened. The checksum of a value verifies the
// value when it is read later.
const (
	fileMagic   = "atomic_file_storage"
	fileVersion = 1
)

// Reasons why a file, or a value, is unusable.
var (
	errDamaged = errors.New("the file is damaged")
	errVersion = errors.New("the file is of another version of this storage")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// span is the position of a value in a file.
type span struct {
	offset   int64
	size     int
	checksum uint32
}

// read returns the value at s.
func (s span) read(file io.ReaderAt) ([]byte, error) {
	value := make([]byte, s.size)
	if _, err := file.ReadAt(value, s.offset); err != nil {
		return nil, damagedError(err)
	}
	if crc32.Checksum(value, castagnoli) != s.checksum {
		return nil, fmt.Errorf("%w: wrong checksum of a value", errDamaged)
	}
	return value, nil
}

// damagedError converts a read error. A file that is too short is damaged; after other errors it may
// be intact.
func damagedError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: unexpected end", errDamaged)
	}
	return err
}

// scan verifies a file of the given size and returns the position of each value. It keeps only the
// keys in memory.
func scan(from io.Reader, size int64) (map[string]span, error) {
	s := scanner{in: bufio.NewReader(from), left: size, sum: crc32.New(castagnoli)}
	s.magic()
	if v := s.number(); s.err == nil && v != fileVersion {
		return nil, fmt.Errorf("%w: got %d, want %d", errVersion, v, fileVersion)
	}
	index := make(map[string]span)
	for n := s.number(); n > 0 && s.err == nil; n-- {
		key, place := s.entry()
		index[key] = place
	}
	sum := s.sum.Sum32()
	if end := s.checksum(); s.err == nil && (end != sum || s.left != 0) {
		s.err = fmt.Errorf("%w: wrong checksum", errDamaged)
	}
	if s.err != nil {
		return nil, s.err
	}
	return index, nil
}

// scanner reads values until one fails.
type scanner struct {
	in     *bufio.Reader
	offset int64 // of the next byte
	left   int64 // remaining bytes of the file
	sum    hash.Hash32
	err    error
}

// ReadByte implements io.ByteReader, for varints.
func (s *scanner) ReadByte() (byte, error) {
	b, err := s.in.ReadByte()
	if err == nil {
		s.consume([]byte{b})
	}
	return b, err
}

func (s *scanner) consume(b []byte) {
	_, _ = s.sum.Write(b) // hash.Hash never fails
	s.offset += int64(len(b))
	s.left -= int64(len(b))
}

func (s *scanner) fail(err error) {
	if s.err == nil && err != nil {
		s.err = damagedError(err)
	}
}

func (s *scanner) magic() {
	if s.left < int64(len(fileMagic)) || string(s.bytes(len(fileMagic))) != fileMagic {
		s.fail(fmt.Errorf("%w: not a file of this storage", errDamaged))
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

// length reads a length, which must not exceed the rest of the file.
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
	s.consume(b)
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
		s.fail(fmt.Errorf("%w: wrong checksum of a value", errDamaged))
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

// entry is a key and its value.
type entry struct {
	key   string
	value []byte
}

// write writes a file of n entries and returns the positions of the values.
func write(to io.Writer, n int, entries func(yield func(entry, error) bool)) (map[string]span, error) {
	w := writer{out: bufio.NewWriter(to), sum: crc32.New(castagnoli)}
	w.bytes([]byte(fileMagic))
	w.number(fileVersion)
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

// writer writes values. bufio.Writer keeps the first error.
type writer struct {
	out    *bufio.Writer
	offset int64
	sum    hash.Hash32
}

func (w *writer) bytes(b []byte) {
	_, _ = w.out.Write(b) // Flush returns the error
	_, _ = w.sum.Write(b) // hash.Hash never fails
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

// replace writes a temporary file and renames it to path, so that path always is either the complete
// old file or the complete new one. It reports whether the file was renamed; if there is an error
// too, the rename may be lost if the machine crashes.
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
