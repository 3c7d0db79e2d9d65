// Command leaks is a service for testing leak detectors. It repeatedly makes every mistake in
// the folders beside this file, and also does each job without the mistake.
//
// It serves net/http/pprof. If OTEL_EXPORTER_OTLP_ENDPOINT is set, it also exports the metrics
// of package instrument, configured by the other standard variables.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if err := runFor(parse(os.Args[1:])); err != nil {
		fmt.Fprintln(os.Stderr, "leaks:", err)
		os.Exit(1)
	}
}

// runFor runs for the duration of the options, or until interrupted.
func runFor(o options) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	ctx, cancel := context.WithTimeout(ctx, o.duration)
	defer cancel()
	return run(ctx, o)
}

type options struct {
	listen        string
	duration      time.Duration
	every         time.Duration
	maxGoroutines int
}

func parse(args []string) options {
	var o options
	flags := flag.NewFlagSet("leaks", flag.ExitOnError)
	// Profiles reveal the internals of a process, so they are served on loopback only.
	flags.StringVar(&o.listen, "listen", "127.0.0.1:6062", "`address` that serves /debug/pprof/")
	flags.DurationVar(&o.duration, "for", 10*time.Minute, "`duration` after which the service exits")
	flags.DurationVar(&o.every, "every", time.Second, "mean `duration` between two calls of each function")
	// Some goroutines also take a file descriptor or a thread, which have lower limits.
	flags.IntVar(&o.maxGoroutines, "max-goroutines", 10_000, "`number` of goroutines above which no functions are called")
	_ = flags.Parse(args) // it exits on errors
	return o
}

// run calls all patterns until ctx is done. Leaked goroutines end with the process.
func run(ctx context.Context, o options) (err error) {
	report, err := startReporting(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, report.stop()) }()

	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	env, err := openEnvironment(ctx, listener)
	if err != nil {
		return err
	}
	fmt.Printf("leaks: profiles at http://%s/debug/pprof/, for the next %v\n", listener.Addr(), o.duration)
	callAll(ctx, patterns(env), o)
	return env.close()
}
