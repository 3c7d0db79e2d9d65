package settings

import (
	"errors"
	"fmt"
	"strings"
)

// prefix is what the names of all environment variables begin with.
const prefix = "OTEL_GO_GOROUTINE_"

// DisabledVariable is the environment variable that switches everything off.
const DisabledVariable = prefix + "DISABLED"

// IsDisabled reports whether the environment switches everything off. The environment
// is as os.Environ returns it.
func IsDisabled(environ []string) (disabled bool, err error) {
	for name, text := range ours(environ) {
		if name != DisabledVariable {
			continue
		}
		if err := parseBool(&disabled, text); err != nil {
			return false, wrong(name, text, err)
		}
	}
	return disabled, nil
}

// ReadEnvironment sets what the environment chooses. Its error names every variable
// that is wrong, and every variable with our prefix that does not exist: the limit that
// it was to set is not in force. What is wrong changes nothing.
func (s *Settings) ReadEnvironment(environ []string) error {
	known := make(map[string]Setting)
	for _, setting := range All() {
		known[setting.Variable] = setting
	}
	var errs []error
	for name, text := range ours(environ) {
		setting, ok := known[name]
		switch {
		case ok:
			if err := setting.Set(s, text); err != nil {
				errs = append(errs, wrong(name, text, err))
			}
		case name != DisabledVariable:
			errs = append(errs, unknown(name))
		}
	}
	return errors.Join(errs...)
}

// ours yields the variables that begin with our prefix, except empty ones, which the
// OpenTelemetry specification treats as unset.
func ours(environ []string) func(yield func(name, text string) bool) {
	return func(yield func(name, text string) bool) {
		for _, variable := range environ {
			name, text, _ := strings.Cut(variable, "=")
			text = strings.TrimSpace(text)
			if strings.HasPrefix(name, prefix) && text != "" && !yield(name, text) {
				return
			}
		}
	}
}

// Set parses the text of the variable into s, leaving s unchanged on error.
func (setting *Setting) Set(s *Settings, text string) error {
	trial := *s
	if err := setting.parse(&trial, text); err != nil {
		return err
	}
	if err := setting.check(&trial); err != nil {
		return err
	}
	*s = trial
	return nil
}

func wrong(name, text string, err error) error { return fmt.Errorf("%s is %q: %w", name, text, err) }

// unknown returns the error of a variable that does not exist. It suggests the one with
// the nearest name.
func unknown(name string) error {
	nearest, least := "", len(name)
	candidates := []string{DisabledVariable}
	for _, setting := range All() {
		candidates = append(candidates, setting.Variable)
	}
	for _, candidate := range candidates {
		if d := distance(name, candidate); d < least {
			nearest, least = candidate, d
		}
	}
	// Half of what follows the prefix: any more, and it is another word.
	if 2*least <= len(name)-len(prefix) {
		return fmt.Errorf("there is no %s, did you mean %s?", name, nearest)
	}
	return fmt.Errorf("there is no %s, only %s", name, strings.Join(candidates, ", "))
}

// distance returns how many bytes must be inserted, deleted or replaced to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
