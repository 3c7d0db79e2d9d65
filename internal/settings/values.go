package settings

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// parseDuration parses a duration as Go writes it. A bare number is refused: it is
// milliseconds in OpenTelemetry's own variables, and seconds in most others.
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

func positive(d time.Duration) error {
	if d <= 0 {
		return fmt.Errorf("%v is not above 0", d)
	}
	return nil
}

func between(d, least, most time.Duration) error {
	if d < least || d > most {
		return fmt.Errorf("%v is not from %v to %v", d, least, most)
	}
	return nil
}

func within(n, least, most int) error {
	if n < least || n > most {
		return fmt.Errorf("%d is not from %d to %d", n, least, most)
	}
	return nil
}

// share returns an error unless x is a share of one core. NaN is none.
func share(x float64) error {
	if x > 0 && x <= 1 {
		return nil
	}
	return fmt.Errorf("%v is not a share of one core, above 0 and at most 1", x)
}

func rare(every time.Duration) error {
	if every == 0 || every >= MinLeakProfile {
		return nil
	}
	return fmt.Errorf("%v is neither 0, which is never, nor %v or more", every, MinLeakProfile)
}

func oneOf(text string, all ...string) error {
	if slices.Contains(all, text) {
		return nil
	}
	return fmt.Errorf("%q is not one of %q", text, all)
}
