package goroutinereceiver

import (
	"errors"
	"fmt"
)

var (
	errNoTarget        = errors.New(`"targets" is empty and there is no "endpoint": there is nothing to scrape`)
	errTwoForms        = errors.New(`"endpoint" and "targets" are both set: "endpoint" is the short form of a single target`)
	errInterval        = errors.New(`"collection_interval" must be above 0`)
	errTimeout         = errors.New(`"timeout" must be above 0`)
	errMaxConcurrent   = errors.New(`"max_concurrent_scrapes" must be above 0`)
	errMaxBodySize     = errors.New(`"max_body_size" must be above 0, in bytes`)
	errAgedAfter       = errors.New(`"aged_after" must be above 0`)
	errMaxSignatures   = errors.New(`"max_signatures" must be above 0`)
	errCapture         = errors.New(`"capture" must be auto, trace or profile`)
	errEndpointMissing = errors.New(`"endpoint" is required`)
	errTargetTwice     = errors.New(`"targets" has an endpoint twice`)
)

// Validate checks what no target can say better. Each target is validated by
// itself.
func (c *Config) Validate() error {
	var errs []error
	check := func(ok bool, err error) {
		if !ok {
			errs = append(errs, err)
		}
	}
	check(c.CollectionInterval > 0, errInterval)
	check(c.MaxConcurrentScrapes > 0, errMaxConcurrent)
	check(c.MaxBodySize > 0, errMaxBodySize)
	check(c.AgedAfter > 0, errAgedAfter)
	check(c.MaxSignatures > 0, errMaxSignatures)
	check(c.ClientConfig.Endpoint != "" || len(c.Targets) > 0, errNoTarget)
	check(c.ClientConfig.Endpoint == "" || len(c.Targets) == 0, errTwoForms)
	if c.ClientConfig.Endpoint != "" {
		single := c.targets()[0]
		errs = append(errs, single.Validate())
	}
	errs = append(errs, c.validateDistinct())
	return errors.Join(errs...)
}

// validateDistinct refuses to scrape one process as two, which would double
// every sum.
func (c *Config) validateDistinct() error {
	var errs []error
	first := map[string]int{}
	for i, t := range c.Targets {
		address, err := parseEndpoint(t.ClientConfig.Endpoint)
		if err != nil {
			continue // the target's own Validate says so
		}
		if before, twice := first[address.String()]; twice {
			errs = append(errs, fmt.Errorf("%w: targets %d and %d are both %s", errTargetTwice, before, i, address.Redacted()))
			continue
		}
		first[address.String()] = i
	}
	return errors.Join(errs...)
}

// Validate checks one target.
func (t *TargetConfig) Validate() error {
	var errs []error
	if _, err := parseEndpoint(t.ClientConfig.Endpoint); err != nil {
		errs = append(errs, err)
	}
	if t.ClientConfig.Timeout <= 0 {
		errs = append(errs, errTimeout)
	}
	switch t.Capture {
	case CaptureAuto, CaptureTrace, CaptureProfile:
	default:
		errs = append(errs, fmt.Errorf("%w, not %q", errCapture, t.Capture))
	}
	return errors.Join(errs...)
}
