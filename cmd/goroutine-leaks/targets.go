package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/target"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/watch"
	"github.com/otel-goroutine/otel-goroutine/internal/page"
)

// access is how processes are reached.
type access struct {
	Header   []string `help:"Header to send along, \"Name: value\". Again for more." sep:"none" env:"GOROUTINE_LEAKS_HEADER"`
	Token    string   `help:"Bearer token to send along." env:"GOROUTINE_LEAKS_TOKEN"`
	CA       string   `help:"PEM file with the authorities that may sign server certificates." name:"ca" type:"path" env:"GOROUTINE_LEAKS_CA"`
	Cert     string   `help:"PEM file with the client certificate." type:"path" env:"GOROUTINE_LEAKS_CERT"`
	Key      string   `help:"PEM file with its key." type:"path" env:"GOROUTINE_LEAKS_KEY"`
	Insecure bool     `help:"Accept any server certificate." env:"GOROUTINE_LEAKS_INSECURE"`
}

func (a *access) access() target.Access {
	return target.Access{Headers: a.Header, Token: a.Token, CA: a.CA, Certificate: a.Cert, Key: a.Key, Insecure: a.Insecure}
}

// watched is what is watched, and how.
type watched struct {
	access `group:"Access"`

	URLs    []string `arg:"" name:"url" help:"Where processes serve net/http/pprof: host:port, a port of this machine, or a URL."`
	Service string   `help:"Take all URLs for instances of the service of this name, and judge them together."`
	Ignore  []string `help:"Goroutines that are not flagged: function=F, entry=F or signature=S, several with commas, and until=DAY. Again for more." sep:"none"`
}

// The shortest and the longest look. In less time no goroutine is seen to be old.
const (
	minFor = 5 * time.Second
	maxFor = 14 * 24 * time.Hour
)

var errFor = fmt.Errorf("--for must be from %v to %v", minFor, maxFor)

// open returns a watch over the targets, which closing gives up. If aggregator is not nil, it receives
// the points and origins.
func (w *watched) open(watchFor time.Duration, aggregator *page.Aggregator) (watching *watch.Watch, options watch.Options, closing func(), err error) {
	if watchFor < minFor || watchFor > maxFor {
		return nil, options, nil, errFor
	}
	ignore, err := parseIgnore(w.Ignore, time.Now())
	if err != nil {
		return nil, options, nil, err
	}
	options = watch.Options{For: watchFor, Service: w.Service, Ignore: ignore.matches, Page: aggregator}
	var targets []*target.Target
	seen := make(map[string]bool)
	for _, url := range w.URLs {
		t, err := target.New(url, w.access.access())
		if err != nil {
			return nil, options, nil, fmt.Errorf("%s: %w", withoutPassword(url), err)
		}
		if !seen[t.Name] {
			targets = append(targets, t)
		}
		seen[t.Name] = true
	}
	closing = func() {
		for _, t := range targets {
			t.Close()
		}
	}
	return watch.New(options, targets), options, closing, nil
}

// withoutPassword returns an address as it may be printed.
func withoutPassword(url string) string {
	if at := strings.LastIndexByte(url, '@'); at >= 0 {
		scheme, _, found := strings.Cut(url[:at], "://")
		if !found {
			return url[at+1:]
		}
		return scheme + "://" + url[at+1:]
	}
	return url
}

// ignoreRule names goroutines that are not flagged. All that is set must be as in the group.
type ignoreRule struct{ function, entry, signature string }

type ignoreList []ignoreRule

var errIgnore = errors.New("--ignore takes function=F, entry=F or signature=S, several with commas, and until=YYYY-MM-DD")

// parseIgnore reads rules. One that is over by now is left out.
//
//	entry=main.pollForever,until=2026-12-31
func parseIgnore(texts []string, now time.Time) (ignoreList, error) {
	var list ignoreList
	for _, text := range texts {
		rule, until := ignoreRule{}, time.Time{}
		for part := range strings.SplitSeq(text, ",") {
			key, value, found := strings.Cut(part, "=")
			var err error
			switch {
			case !found || value == "":
				return nil, fmt.Errorf("%w, unlike %q", errIgnore, text)
			case key == "function":
				rule.function = value
			case key == "entry":
				rule.entry = value
			case key == "signature":
				rule.signature = value
			case key == "until":
				until, err = time.Parse(time.DateOnly, value)
			case key == "reason": // for those who read the command later
			default:
				return nil, fmt.Errorf("%w, unlike %q", errIgnore, text)
			}
			if err != nil {
				return nil, fmt.Errorf("%w, unlike %q", errIgnore, text)
			}
		}
		if rule == (ignoreRule{}) {
			return nil, fmt.Errorf("%w, unlike %q", errIgnore, text)
		}
		if until.IsZero() || now.Before(until.AddDate(0, 0, 1)) {
			list = append(list, rule)
		}
	}
	return list, nil
}

func (l ignoreList) matches(s judge.Sample) bool {
	for _, r := range l {
		if (r.function == "" || r.function == s.Place.Function) && (r.entry == "" || r.entry == s.Place.Entry) &&
			(r.signature == "" || r.signature == s.Signature) {
			return true
		}
	}
	return false
}
