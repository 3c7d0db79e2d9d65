package main

import (
	"fmt"
	"time"

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

	ignore ignoreList // set by open
}

// Limits of --for. In less time, no goroutine becomes old.
const (
	minFor = 5 * time.Second
	maxFor = 14 * 24 * time.Hour
)

var errFor = fmt.Errorf("--for must be between %v and %.0fd", minFor, maxFor.Hours()/24)

// open returns a watcher of the targets. Call closeTargets when it is no longer used. If aggregator is
// not nil, it receives the data of a page.
func (f *watchFlags) open(watchFor time.Duration, aggregator *page.Aggregator) (watcher *watch.Watcher, options watch.Options, closeTargets func(), err error) {
	if watchFor < minFor || watchFor > maxFor {
		return nil, options, nil, errFor
	}
	if f.ignore, err = parseIgnore(f.Ignore, time.Now()); err != nil {
		return nil, options, nil, err
	}
	options = watch.Options{For: watchFor, Service: f.Service, Ignore: f.ignore.matches, Page: aggregator}
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
