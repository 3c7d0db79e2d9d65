// Command leaky is a service that leaks goroutines in four ways, beside healthy ones
// that only look like leaks. It is the service of the demonstration. It serves
// net/http/pprof, as many services do, and imports nothing of this project.
//
// leaks.go has the leaks, healthy.go the healthy goroutines.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	switch err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "leaky:", err)
		os.Exit(1)
	}
}

// errUsage is returned after a usage error has been reported.
var errUsage = errors.New("invalid usage")

type options struct {
	listen   string
	duration time.Duration
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("leaky", flag.ContinueOnError)
	flags.SetOutput(stderr)
	// Profiles reveal the internals of a process, so they are served on
	// loopback only.
	flags.StringVar(&o.listen, "listen", "127.0.0.1:6060", "`address` that serves /debug/pprof/")
	// At eleven leaks a second, the service has about 7,000 goroutines after ten
	// minutes.
	flags.DurationVar(&o.duration, "for", 10*time.Minute, "`duration` after which the service exits")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return o, err
	case err != nil:
		return o, errUsage
	case flags.NArg() > 0:
		fmt.Fprintf(stderr, "leaky: unexpected argument %q\n", flags.Arg(0))
		return o, errUsage
	}
	return o, nil
}

// run serves and leaks until ctx is done or the duration has elapsed. When it returns,
// all healthy goroutines have exited; leaked ones end with the process.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.listen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s is in use by another process; choose another address with -listen", o.listen)
	case err != nil:
		return err
	}
	fmt.Fprintf(stdout, "leaky: profiles at http://%s/debug/pprof/, for the next %v\n", listener.Addr(), o.duration)

	ctx, cancel := context.WithTimeout(ctx, o.duration)
	defer cancel()
	var running sync.WaitGroup
	for _, healthy := range []func(context.Context){runPool, takeRequests, keepSessions, beat} {
		running.Go(func() { healthy(ctx) })
	}
	for _, l := range plantLeaks() {
		running.Go(func() { l.run(ctx) })
	}
	err = serve(ctx, listener)
	cancel()
	running.Wait()
	return err
}

// serve serves profiles until ctx is done.
func serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler:           profiles(),
		ReadHeaderTimeout: 5 * time.Second,
		// pprof refuses longer profiles and traces than this. Its default is
		// 30 s.
		WriteTimeout: time.Minute,
		IdleTimeout:  2 * time.Minute,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	// Close, not Shutdown, since a profile may take longer than the user waits.
	err := server.Close()
	if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return err
}

func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}
