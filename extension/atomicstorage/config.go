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
	// CreateDirectory creates the directory if it does not exist.
	CreateDirectory bool `mapstructure:"create_directory"`
	// Timeout is how long opening a file waits while another process uses it.
	Timeout time.Duration `mapstructure:"timeout"`
}

func createDefaultConfig() component.Config {
	return &Config{
		CreateDirectory: true,
		// In a rollover the old collector has usually exited by then.
		Timeout: 5 * time.Second,
	}
}

// Validate validates the configuration without creating the directory.
func (c *Config) Validate() error {
	var errs []error
	switch {
	case c.Directory == "":
		errs = append(errs, errors.New(`"directory" is required`))
	case !c.CreateDirectory:
		errs = append(errs, checkDirectory(c.Directory))
	}
	if c.Timeout < 0 {
		errs = append(errs, fmt.Errorf(`"timeout" must not be negative, got %v`, c.Timeout))
	}
	return errors.Join(errs...)
}

// checkDirectory returns an error if path is not an existing directory.
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

// prepare creates the directory if CreateDirectory is set. It returns an error if the directory does
// not exist, or this process has no permission to write. A full or read-only disk is not an error of
// the configuration: it fails on the first write.
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
		return fmt.Errorf(`"directory" is not writable: %w`, err)
	case err != nil:
		return nil
	}
	return errors.Join(probe.Close(), os.Remove(filepath.Clean(probe.Name())))
}
