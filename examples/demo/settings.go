package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// settings are what the environment can choose.
type settings struct {
	// watch is how long the findings are watched at most.
	watch time.Duration
	// settle ends the watch earlier: when all planted leaks have been found, nothing
	// healthy was flagged, and nothing has changed for this long. 0 means never.
	settle time.Duration
	// capture is the collector's choice of source: auto, trace or profile.
	capture string
	ports   []port
}

// port is a port on loopback that the demonstration needs.
type port struct {
	// variable is the environment variable that sets it.
	variable string
	number   int
}

// The environment variables. Those of the ports are also read by collector.yaml.
const (
	secondsVariable = "DEMO_SECONDS"
	captureVariable = "DEMO_CAPTURE"
	pprofVariable   = "DEMO_PPROF_PORT"
	metricsVariable = "DEMO_METRICS_PORT"
	zpagesVariable  = "DEMO_ZPAGES_PORT"
	healthVariable  = "DEMO_HEALTH_PORT"
)

const (
	// defaultSeconds is enough for findings that come after 40 s, or after 90 from
	// counts alone, and for defaultSettle. Who wants to look around sets another.
	defaultSeconds = 120
	// defaultSettle is longer than the sessions of the service last on average, the
	// healthy goroutines that are most like a leak.
	defaultSettle = 20 * time.Second
	// maxSeconds bounds what the leaky service gathers: 32,000 goroutines.
	maxSeconds = 3600
)

// readSettings reads the environment. Its errors name the variable and what it
// may be.
func readSettings(getenv func(string) string) (settings, error) {
	seconds, err := number(getenv, secondsVariable, defaultSeconds, maxSeconds)
	if err != nil {
		return settings{}, err
	}
	s := settings{watch: time.Duration(seconds) * time.Second}
	if getenv(secondsVariable) == "" {
		s.settle = defaultSettle
	}
	if s.capture, err = readCapture(getenv); err != nil {
		return settings{}, err
	}
	// Each default is where such a server is usually found.
	for _, p := range []port{
		{pprofVariable, 6060},
		{metricsVariable, 8889},
		{zpagesVariable, 55679},
		{healthVariable, 13133},
	} {
		if p.number, err = number(getenv, p.variable, p.number, 65535); err != nil {
			return settings{}, err
		}
		s.ports = append(s.ports, p)
	}
	return s, s.clash()
}

func readCapture(getenv func(string) string) (string, error) {
	captures := []string{"auto", "trace", "profile"}
	switch capture := getenv(captureVariable); {
	case capture == "":
		return captures[0], nil
	case slices.Contains(captures, capture):
		return capture, nil
	default:
		return "", fmt.Errorf("%s is %q; it must be one of %s", captureVariable, capture, strings.Join(captures, ", "))
	}
}

func number(getenv func(string) string, variable string, standard, most int) (int, error) {
	text := getenv(variable)
	if text == "" {
		return standard, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, fmt.Errorf("%s is %q; it must be a whole number from 1 to %d", variable, text, most)
	}
	return n, nil
}

// clash returns an error if two ports are the same.
func (s settings) clash() error {
	for i, p := range s.ports {
		for _, q := range s.ports[:i] {
			if p.number == q.number {
				return fmt.Errorf("%s and %s are both %d; they must differ", q.variable, p.variable, p.number)
			}
		}
	}
	return nil
}

// address returns the address on loopback that a variable chose.
func (s settings) address(variable string) string {
	for _, p := range s.ports {
		if p.variable == variable {
			return p.address()
		}
	}
	panic("no port has the variable " + variable)
}

// environment returns the settings in the form in which collector.yaml wants
// them.
func (s settings) environment() []string {
	env := []string{captureVariable + "=" + s.capture}
	for _, p := range s.ports {
		env = append(env, p.variable+"="+strconv.Itoa(p.number))
	}
	return env
}
