package atomicstorage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.opentelemetry.io/collector/component"
)

// Config is the configuration of the extension.
type Config struct {
	// Directory holds the files. It is created, with its parents, if CreateDirectory
	// is set.
	Directory string `mapstructure:"directory"`
	// CreateDirectory creates the directory where there is none.
	CreateDirectory bool `mapstructure:"create_directory"`
	// Timeout is how long a client waits for a file that another process uses.
	Timeout time.Duration `mapstructure:"timeout"`
}

func createDefaultConfig() component.Config {
	return &Config{
		CreateDirectory: true,
		// A collector that is replaced has ended by then, in most cases.
		Timeout: 5 * time.Second,
	}
}

// Validate checks what can be checked without touching the directory.
func (c *Config) Validate() error {
	var errs []error
	switch {
	case c.Directory == "":
		errs = append(errs, errors.New(`"directory" is required`))
	case !c.CreateDirectory:
		errs = append(errs, checkDirectory(c.Directory))
	}
	if c.Timeout < 0 {
		errs = append(errs, fmt.Errorf(`"timeout" must not be negative, and is %v`, c.Timeout))
	}
	return errors.Join(errs...)
}

// checkDirectory returns what is wrong with a directory that must exist.
func checkDirectory(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf(`"directory" %q does not exist, and "create_directory" is false`, path)
	case err != nil:
		return fmt.Errorf(`"directory": %w`, err)
	case !info.IsDir():
		return fmt.Errorf(`"directory" %q is a file`, path)
	}
	return nil
}

// prepare creates the directory if that was asked for. It fails if there is none in the
// end, or one in which this process may not write. A disk that is full, or that has become
// read-only, is no mistake of the configuration: that is found when it is written to.
func (c *Config) prepare() error {
	if c.CreateDirectory {
		if err := os.MkdirAll(c.Directory, 0o700); err != nil {
			return fmt.Errorf(`create "directory": %w`, err)
		}
	}
	if err := checkDirectory(c.Directory); err != nil {
		return err
	}
	probe, err := os.CreateTemp(c.Directory, "probe-*"+temporarySuffix)
	switch {
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf(`"directory" may not be written to: %w`, err)
	case err != nil:
		return nil
	}
	return errors.Join(probe.Close(), os.Remove(filepath.Clean(probe.Name())))
}
