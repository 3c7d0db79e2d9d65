package goroutinereceiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/targetlist"
)

// fileSource reads lists from files.
type fileSource struct{ patterns []string }

var (
	errNotFile = errors.New("not a regular file")
	errWriting = errors.New("the file is being written")
	errNoMatch = errors.New("no file matches")
)

// A file is read only if its last write is at least settleTime ago: half of a YAML list is a valid
// list, so a file must not be read while it is written in place. settleAttempts bounds the
// attempts per poll.
const (
	settleTime     = time.Second
	settleAttempts = 3
)

func (fileSource) kind() string { return "file_sd" }

// formatOf returns the format of a file by its name, or nil if unknown.
func formatOf(name string) targetlist.Format {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".json":
		return targetlist.JSON
	case ".yaml", ".yml":
		return targetlist.YAML
	}
	return nil
}

func (s fileSource) documents(ctx context.Context) iter.Seq2[document, error] {
	return func(yield func(document, error) bool) {
		for _, pattern := range s.patterns {
			names, err := filepath.Glob(pattern)
			switch {
			case err != nil:
				names = nil // Validate has checked the pattern
			case len(names) == 0:
				// A file must exist. A pattern may match nothing.
				names, err = []string{pattern}, fmt.Errorf("%w %s", errNoMatch, pattern)
				if isPattern(pattern) {
					continue
				}
			}
			for _, name := range names {
				d := document{name: name, format: formatOf(name)}
				if err == nil {
					d.text, err = readWhenSettled(ctx, name)
				}
				if !yield(d, err) {
					return
				}
				err = nil
			}
		}
	}
}

func isPattern(name string) bool { return strings.ContainsAny(name, `*?[\`) }

// readWhenSettled waits until a file is no longer written, and reads it.
func readWhenSettled(ctx context.Context, name string) ([]byte, error) {
	for range settleAttempts {
		text, err := readUnchanged(name)
		if !errors.Is(err, errWriting) {
			return text, err
		}
		if !sleep(ctx, settleTime) {
			return nil, ctx.Err()
		}
	}
	return nil, errWriting
}

// readUnchanged reads a file. It returns errWriting if the file was modified less than settleTime
// ago or while it was read.
func readUnchanged(name string) ([]byte, error) {
	before, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case !before.Mode().IsRegular(): // opening a pipe could block forever
		return nil, fmt.Errorf("%w: %s", errNotFile, kindOfFile(before))
	case before.Size() >= targetlist.MaxSize:
		return nil, targetlist.ErrTooLarge
	}
	// A time in the future is from another clock, so it is ignored.
	if age := time.Since(before.ModTime()); age >= 0 && age < settleTime {
		return nil, errWriting
	}
	text, err := readAtMost(name, targetlist.MaxSize)
	if err != nil {
		return nil, err
	}
	after, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !after.ModTime().Equal(before.ModTime()) || after.Size() != before.Size() {
		return nil, errWriting
	}
	return text, nil
}

func kindOfFile(info fs.FileInfo) string {
	if info.IsDir() {
		return "a directory; name the files in it, such as " + filepath.Join(info.Name(), "*.json")
	}
	return info.Mode().Type().String()
}

func readAtMost(name string, size int64) (text []byte, err error) {
	file, err := os.Open(name) //nolint:gosec // the path is from the configuration
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return io.ReadAll(io.LimitReader(file, size))
}

// sleep waits for d. It returns false early if ctx is done.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
