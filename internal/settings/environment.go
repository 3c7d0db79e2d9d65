package settings

import (
	"errors"
	"fmt"
	"strings"
)

// variablePrefix is the prefix of all environment variables.
const variablePrefix = "OTEL_GO_GOROUTINE_"

// DisabledVariable is the environment variable that disables the instrumentation.
const DisabledVariable = variablePrefix + "DISABLED"

// IsDisabled reports whether the environment, in the form of os.Environ, disables the
// instrumentation.
func IsDisabled(environ []string) (disabled bool, err error) {
	for name, text := range prefixed(environ) {
		if name != DisabledVariable {
			continue
		}
		if err := parseBool(&disabled, text); err != nil {
			return false, invalidError(name, text, err)
		}
	}
	return disabled, nil
}

// ReadEnvironment sets s from the environment. Its error names every variable with an invalid value,
// and every unknown variable with our prefix, since the intended limit would not be in force. Invalid
// and unknown variables are ignored.
func (s *Settings) ReadEnvironment(environ []string) error {
	known := make(map[string]Setting)
	for _, setting := range All() {
		known[setting.Variable] = setting
	}
	var errs []error
	for name, text := range prefixed(environ) {
		setting, ok := known[name]
		switch {
		case ok:
			if err := setting.Set(s, text); err != nil {
				errs = append(errs, invalidError(name, text, err))
			}
		case name != DisabledVariable:
			errs = append(errs, unknownError(name))
		}
	}
	return errors.Join(errs...)
}

// prefixed yields the variables with our prefix, except empty ones, which the OpenTelemetry
// specification treats as unset.
func prefixed(environ []string) func(yield func(name, text string) bool) {
	return func(yield func(name, text string) bool) {
		for _, variable := range environ {
			name, text, _ := strings.Cut(variable, "=")
			text = strings.TrimSpace(text)
			if strings.HasPrefix(name, variablePrefix) && text != "" && !yield(name, text) {
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

func invalidError(name, text string, err error) error {
	return fmt.Errorf("%s is %q: %w", name, text, err)
}

// unknownError returns the error for an unknown variable. It suggests the one with the nearest name.
func unknownError(name string) error {
	nearest, least := "", len(name)
	candidates := []string{DisabledVariable}
	for _, setting := range All() {
		candidates = append(candidates, setting.Variable)
	}
	for _, candidate := range candidates {
		if d := editDistance(name, candidate); d < least {
			nearest, least = candidate, d
		}
	}
	// If more than half of what follows the prefix differs, it is another word.
	if 2*least <= len(name)-len(variablePrefix) {
		return fmt.Errorf("unknown variable %s, did you mean %s?", name, nearest)
	}
	return fmt.Errorf("unknown variable %s, want one of %s", name, strings.Join(candidates, ", "))
}

// editDistance returns the Levenshtein distance between a and b, in bytes.
func editDistance(a, b string) int {
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
