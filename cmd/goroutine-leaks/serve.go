package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/show"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/watch"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/page"
)

// serveCommand looks on, and serves a page.
type serveCommand struct {
	watched

	For       time.Duration `help:"Time to which thresholds are scaled. It is watched for longer." default:"20m"`
	Listen    string        `help:"Address to serve the page at." default:"127.0.0.1:7077"`
	AllowHost []string      `help:"Host that browsers may ask for, where the page is not served on loopback. Again for more." placeholder:"NAME"`
}

// Run serves until it is interrupted.
func (c *serveCommand) Run(ctx context.Context, out streams) error {
	aggregator := newAggregator(judge.Scaled(c.For))
	watching, options, closing, err := c.open(c.For, aggregator)
	if err != nil {
		return err
	}
	defer closing()
	handler := page.NewHandler(aggregator, page.Options{Title: strings.Join(c.URLs, ", ")}, c.AllowHost)
	site, err := openSite(c.Listen, handler)
	if err != nil {
		return err
	}
	fmt.Fprintf(out.stdout, "The page is at http://%s until Ctrl-C.\n", site.address())
	progress := show.Progress{To: out.stdout, Width: out.width, For: c.For, Interval: options.Interval()}
	watching.RunOn(ctx, func(s watch.State) {
		progress.Look(s)
		if !slices.ContainsFunc(s.Changes, begins) {
			return
		}
		_, problems := watching.Origins(ctx)
		for _, err := range problems {
			fmt.Fprintln(out.stdout, err)
		}
	})
	return site.close()
}

// begins tells whether a leak was found that was not known before.
func begins(c finding.Change) bool { return c.Kind == finding.Detected || c.Kind == finding.Regressed }

// site is a page that is served.
type site struct {
	listener net.Listener
	server   *http.Server
	handler  *page.Handler
	served   chan error
}

func openSite(listen string, handler *page.Handler) (*site, error) {
	listener, err := net.Listen("tcp", listen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is in use by another process; choose another address with --listen", listen)
	case err != nil:
		return nil, err
	}
	s := &site{
		listener: listener,
		server:   &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute},
		handler:  handler,
		served:   make(chan error, 1),
	}
	go func() { s.served <- s.server.Serve(listener) }()
	return s, nil
}

func (s *site) address() net.Addr { return s.listener.Addr() }

// close ends the server, and waits for it.
func (s *site) close() error {
	s.handler.Close()
	err := s.server.Close()
	if reason := <-s.served; !errors.Is(reason, http.ErrServerClosed) {
		err = errors.Join(err, reason)
	}
	return err
}
