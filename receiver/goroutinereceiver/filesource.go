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
	errWriting = errors.New("somebody is writing to the file")
	errNoMatch = errors.New("no file matches")
)

// A file is read only if its last write is at least settled ago. Half of a list in YAML is a valid
// list, so a file that is being written in place must not be read. settleTries bounds the
// attempts in one poll.
const (
	settled     = time.Second
	settleTries = 3
)

func (fileSource) kind() string { return "file_sd" }

// formatOf returns the format of a file by its name; nil if there is none.
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
				names = nil // validated: it cannot be
			case len(names) == 0:
				// A plain name must exist. A pattern may match nothing.
				names, err = []string{pattern}, fmt.Errorf("%w %s", errNoMatch, pattern)
				if isPattern(pattern) {
					continue
				}
			}
			for _, name := range names {
				d := document{name: name, format: formatOf(name)}
				if err == nil {
					d.text, err = readSettled(ctx, name)
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

// readSettled waits until nobody writes to a file, and reads it.
func readSettled(ctx context.Context, name string) ([]byte, error) {
	for range settleTries {
		text, err := readUnchanged(name)
		if !errors.Is(err, errWriting) {
			return text, err
		}
		if !sleep(ctx, settled) {
			return nil, ctx.Err()
		}
	}
	return nil, errWriting
}

// readUnchanged reads a file. It returns errWriting if the file was modified just now or meanwhile.
func readUnchanged(name string) ([]byte, error) {
	before, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case !before.Mode().IsRegular(): // to open a pipe could take for ever
		return nil, fmt.Errorf("%w: %s", errNotFile, kindOfFile(before))
	case before.Size() >= targetlist.MaxSize:
		return nil, targetlist.ErrTooLarge
	}
	// A time in the future is that of another clock, and says nothing.
	if age := time.Since(before.ModTime()); age >= 0 && age < settled {
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
	file, err := os.Open(name) //nolint:gosec // whoever configures the collector names its files
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return io.ReadAll(io.LimitReader(file, size))
}

// sleep waits for d, and reports whether ctx is still live then.
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
