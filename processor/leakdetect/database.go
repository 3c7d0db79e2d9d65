package leakdetect

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"unicode/utf8"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otel-goroutine/otel-goroutine/processor/leakdetect/internal/boltfile"
)

// database is the path of the file in which a file_storage extension keeps what is
// ours, a bbolt database; empty for any other storage. A damaged one must not come to
// bbolt: it would end the collector, from a goroutine of its own.
type database string

// fileStorage is the package of the extension.
const fileStorage = "github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"

// databaseOf returns where a storage keeps what belongs to a processor. The extension
// does not tell its directory, so it is read off its fields; a test with the real one
// fails when they change.
func databaseOf(provider storage.Extension, self component.ID) database {
	extension := reflect.Indirect(reflect.ValueOf(provider))
	if extension.Type().PkgPath() != fileStorage || extension.Kind() != reflect.Struct {
		return ""
	}
	config := extension.FieldByName("cfg")
	if config.Kind() != reflect.Pointer || config.Elem().Kind() != reflect.Struct {
		return ""
	}
	directory := config.Elem().FieldByName("Directory")
	if directory.Kind() != reflect.String {
		return ""
	}
	name := fmt.Sprintf("processor_%s_%s", self.Type(), self.Name())
	return database(filepath.Join(directory.String(), unsafeInNames.ReplaceAllStringFunc(name, escape)))
}

// unsafeInNames is what file_storage does not take over into the name of a file.
var unsafeInNames = regexp.MustCompile(`[^A-Za-z0-9._-]`)

// escape returns what file_storage writes for a character: "ü" is ~00FC.
func escape(character string) string {
	r, _ := utf8.DecodeRuneInString(character)
	return fmt.Sprintf("~%04X", r)
}

// check looks for damage in the file.
func (d database) check() error {
	if d == "" {
		return nil
	}
	info, err := os.Stat(string(d))
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return nil // to be refused by the storage
	}
	file, err := os.Open(string(d))
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // was only read
	if err := boltfile.Check(file, info.Size()); err != nil {
		return fmt.Errorf("%w: %w", errDatabaseDamaged, err)
	}
	return nil
}

// errDatabaseDamaged is what check returns of a file that must not be used.
var errDatabaseDamaged = errors.New("the database of the storage is damaged")

// setAside gives a damaged file another name, so that the storage begins a new one. It
// returns that name.
func (d database) setAside() (string, error) {
	aside := string(d) + ".damaged"
	return aside, os.Rename(string(d), aside)
}

// checkToOpen looks for damage before the storage opens the file. What else is wrong
// the storage will find by itself.
func (d database) checkToOpen() error {
	if err := d.check(); errors.Is(err, errDatabaseDamaged) {
		return err
	}
	return nil
}

// checkToUse looks for damage before the storage uses the file that it has open. One
// that is gone still takes what is written, and loses it.
func (d database) checkToUse() error {
	err := d.check()
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("the database of the storage was removed")
	}
	return err
}
