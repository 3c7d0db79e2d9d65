package settings

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// parseDuration parses a duration in Go's format. A number without a unit is an error, since it means
// milliseconds in OpenTelemetry's variables and seconds in most others.
func parseDuration(to *time.Duration, text string) error {
	d, err := time.ParseDuration(text)
	switch {
	case err == nil:
		*to = d
		return nil
	case strings.Trim(text, ".0123456789") == "":
		return fmt.Errorf("a duration needs a unit: write %ss for seconds or %sms for milliseconds", text, text)
	}
	return errors.New("not a duration such as 90s or 10m")
}

func parseInt(to *int, text string) (err error) {
	if *to, err = strconv.Atoi(text); err != nil {
		return errors.New("not a whole number")
	}
	return nil
}

func parseFloat(to *float64, text string) (err error) {
	if *to, err = strconv.ParseFloat(text, 64); err != nil {
		return errors.New("not a number")
	}
	return nil
}

func parseBool(to *bool, text string) error {
	switch strings.ToLower(text) {
	case "true":
		*to = true
	case "false":
		*to = false
	default:
		return errors.New("neither true nor false")
	}
	return nil
}

func checkPositive(d time.Duration) error {
	if d <= 0 {
		return fmt.Errorf("must be positive, got %v", d)
	}
	return nil
}

func checkDuration(d, least, most time.Duration) error {
	if d < least || d > most {
		return fmt.Errorf("must be between %v and %v, got %v", least, most, d)
	}
	return nil
}

func checkInt(n, least, most int) error {
	if n < least || n > most {
		return fmt.Errorf("must be between %d and %d, got %d", least, most, n)
	}
	return nil
}

// checkCoreShare returns an error unless x is a share of one core. NaN is an error.
func checkCoreShare(x float64) error {
	if x > 0 && x <= 1 {
		return nil
	}
	return fmt.Errorf("must be a share of one core, above 0 and at most 1, got %v", x)
}

func checkLeakProfile(every time.Duration) error {
	if every == 0 || every >= MinLeakProfile {
		return nil
	}
	return fmt.Errorf("must be 0 (never) or at least %v, got %v", MinLeakProfile, every)
}

func checkOneOf(text string, all ...string) error {
	if slices.Contains(all, text) {
		return nil
	}
	return fmt.Errorf("must be one of %q, got %q", all, text)
}
