package main

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"time"

	"github.com/alecthomas/kong"
)

// durations makes flags of type time.Duration accept weeks and days, as Prometheus does.
var durations = kong.TypeMapper(reflect.TypeFor[time.Duration](), kong.MapperFunc(func(c *kong.DecodeContext, flag reflect.Value) error {
	var text string
	if err := c.Scan.PopValueInto("duration", &text); err != nil {
		return err
	}
	d, err := parseDuration(text)
	if err != nil {
		return err
	}
	flag.SetInt(int64(d))
	return nil
}))

const (
	day  = 24 * time.Hour
	week = 7 * day
)

var daysAndWeeks = regexp.MustCompile(`^(?:(\d{1,4})w)?(?:(\d{1,4})d)?`)

// parseDuration parses a duration such as 7d, 1w3d, 1d12h or 90s.
func parseDuration(text string) (time.Duration, error) {
	parts := daysAndWeeks.FindStringSubmatch(text)
	var total time.Duration
	for i, unit := range []time.Duration{week, day} {
		if number := parts[i+1]; number != "" {
			n, err := strconv.Atoi(number)
			if err != nil {
				return 0, err
			}
			total += time.Duration(n) * unit
		}
	}
	if rest := text[len(parts[0]):]; rest != "" || parts[0] == "" {
		below, err := time.ParseDuration(rest)
		if err != nil {
			return 0, fmt.Errorf("invalid duration %q, want for example 7d, 12h or 90s", text)
		}
		total += below
	}
	return total, nil
}
