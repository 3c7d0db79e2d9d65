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

// serveCommand watches processes and serves a page of the leaks.
type serveCommand struct {
	watchFlags

	For       time.Duration `help:"Time to which thresholds are scaled. Watching continues after it." default:"20m"`
	Listen    string        `help:"Address to serve the page at." default:"127.0.0.1:7077"`
	AllowHost []string      `help:"Host name in addition to loopback that requests may have. Repeatable." placeholder:"NAME"`
}

// Run implements the command. It serves until interrupted.
func (c *serveCommand) Run(ctx context.Context, out streams) error {
	aggregator := newAggregator(judge.Scaled(c.For))
	watcher, options, closeTargets, err := c.open(c.For, aggregator)
	if err != nil {
		return err
	}
	defer closeTargets()
	handler := page.NewHandler(aggregator, page.Options{Title: strings.Join(c.URLs, ", ")}, c.AllowHost)
	server, err := startServer(c.Listen, handler)
	if err != nil {
		return err
	}
	fmt.Fprintf(out.stdout, "Serving the page at http://%s until Ctrl-C.\n", server.address())
	progress := show.Progress{To: out.stdout, Width: out.width, For: c.For, Interval: options.Interval()}
	var rows []watch.Row
	watcher.RunUntilDone(ctx, func(s watch.State) {
		rows = s.Rows
		progress.Update(s)
		if !slices.ContainsFunc(s.Changes, isNewLeak) {
			return
		}
		_, problems := watcher.Origins(ctx)
		for _, err := range problems {
			fmt.Fprintln(out.stdout, err)
		}
	})
	for _, e := range c.ignore.exclusions(rows) {
		fmt.Fprintln(out.stdout, e)
	}
	return server.close()
}

// isNewLeak reports whether a leak was detected for the first time or again.
func isNewLeak(c finding.Change) bool {
	return c.Kind == finding.Detected || c.Kind == finding.Regressed
}

// pageServer serves a page over HTTP.
type pageServer struct {
	listener net.Listener
	server   *http.Server
	handler  *page.Handler
	served   chan error
}

func startServer(listen string, handler *page.Handler) (*pageServer, error) {
	listener, err := net.Listen("tcp", listen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is in use by another process; choose another address with --listen", listen)
	case err != nil:
		return nil, err
	}
	s := &pageServer{
		listener: listener,
		server:   &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute},
		handler:  handler,
		served:   make(chan error, 1),
	}
	go func() { s.served <- s.server.Serve(listener) }()
	return s, nil
}

func (s *pageServer) address() net.Addr { return s.listener.Addr() }

// close stops the server and waits for it.
func (s *pageServer) close() error {
	s.handler.Close()
	err := s.server.Close()
	if serveErr := <-s.served; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return err
}
