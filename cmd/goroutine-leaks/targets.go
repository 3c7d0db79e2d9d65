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

// accessFlags configure HTTP requests.
type accessFlags struct {
	Header   []string `help:"HTTP header to send, such as \"Name: value\". Repeatable." sep:"none" env:"GOROUTINE_LEAKS_HEADER" placeholder:"HEADER"`
	Token    string   `help:"Bearer token to send." env:"GOROUTINE_LEAKS_TOKEN" placeholder:"TOKEN"`
	CA       string   `help:"PEM file with the certificate authorities that servers are verified with." name:"ca" type:"path" env:"GOROUTINE_LEAKS_CA" placeholder:"FILE"`
	Cert     string   `help:"PEM file with the client certificate." type:"path" env:"GOROUTINE_LEAKS_CERT" placeholder:"FILE"`
	Key      string   `help:"PEM file with the client key." type:"path" env:"GOROUTINE_LEAKS_KEY" placeholder:"FILE"`
	Insecure bool     `help:"Do not verify server certificates." env:"GOROUTINE_LEAKS_INSECURE"`
}

func (f *accessFlags) access() target.Access {
	return target.Access{Headers: f.Header, Token: f.Token, CA: f.CA, Certificate: f.Cert, Key: f.Key, Insecure: f.Insecure}
}

// watchFlags are the flags of the commands that watch processes.
type watchFlags struct {
	accessFlags `group:"Access:"`

	URLs    []string `arg:"" name:"url" help:"Process that serves net/http/pprof: host:port, a local port, or a URL."`
	Service string   `help:"Name of the service that all URLs are instances of. By default, each URL is a service of its own." placeholder:"NAME"`
	Ignore  []string `help:"Goroutines not to flag: function=F, entry=F or signature=S, combined with commas, optionally with until=YYYY-MM-DD and reason=TEXT. Repeatable." sep:"none" placeholder:"RULE"`
}

// Limits of --for. In less time, no goroutine becomes old.
const (
	minFor = 5 * time.Second
	maxFor = 14 * 24 * time.Hour
)

var errFor = fmt.Errorf("--for must be between %v and %.0fh", minFor, maxFor.Hours())

// open returns a watcher of the targets. Call closeTargets when it is no longer used. If aggregator is
// not nil, it receives the data of a page.
func (f *watchFlags) open(watchFor time.Duration, aggregator *page.Aggregator) (watcher *watch.Watcher, options watch.Options, closeTargets func(), err error) {
	if watchFor < minFor || watchFor > maxFor {
		return nil, options, nil, errFor
	}
	ignore, err := parseIgnore(f.Ignore, time.Now())
	if err != nil {
		return nil, options, nil, err
	}
	options = watch.Options{For: watchFor, Service: f.Service, Ignore: ignore.matches, Page: aggregator}
	var targets []*target.Target
	seen := make(map[string]bool)
	for _, url := range f.URLs {
		t, err := target.New(url, f.access())
		if err != nil {
			return nil, options, nil, err
		}
		if !seen[t.Name] {
			targets = append(targets, t)
		}
		seen[t.Name] = true
	}
	closeTargets = func() {
		for _, t := range targets {
			t.Close()
		}
	}
	return watch.New(options, targets), options, closeTargets, nil
}

// ignoreRule selects goroutines not to flag. All fields that are set must match.
type ignoreRule struct{ function, entry, signature string }

type ignoreList []ignoreRule

var errIgnore = errors.New("want function=F, entry=F or signature=S, combined with commas, and optionally until=YYYY-MM-DD and reason=TEXT")

// parseIgnore parses rules and omits expired ones.
func parseIgnore(rules []string, now time.Time) (ignoreList, error) {
	var list ignoreList
	for _, text := range rules {
		rule, until, ok := parseIgnoreRule(text)
		if !ok {
			return nil, fmt.Errorf("invalid --ignore %q: %w", text, errIgnore)
		}
		if until.IsZero() || now.Before(until.AddDate(0, 0, 1)) {
			list = append(list, rule)
		}
	}
	return list, nil
}

// parseIgnoreRule parses a rule such as
//
//	entry=main.pollForever,until=2026-12-31
func parseIgnoreRule(text string) (rule ignoreRule, until time.Time, ok bool) {
	for part := range strings.SplitSeq(text, ",") {
		key, value, found := strings.Cut(part, "=")
		if !found || value == "" {
			return rule, until, false
		}
		switch key {
		case "function":
			rule.function = value
		case "entry":
			rule.entry = value
		case "signature":
			rule.signature = value
		case "until":
			var err error
			if until, err = time.Parse(time.DateOnly, value); err != nil {
				return rule, until, false
			}
		case "reason": // a comment
		default:
			return rule, until, false
		}
	}
	return rule, until, rule != (ignoreRule{})
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
