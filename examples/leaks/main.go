// Command leaks is a service that makes every mistake in the folders beside this
// file repeatedly, and also does each job without the mistake. Use it to try out
// leak detectors.
//
// It serves net/http/pprof. With OTEL_EXPORTER_OTLP_ENDPOINT set it also exports
// the metrics of package instrument, configured by the other standard
// variables.
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

// runFor runs until the time is over, or until it is interrupted.
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
	// Profiles reveal the internals of a process, so they are served to this machine only.
	flags.StringVar(&o.listen, "listen", "127.0.0.1:6062", "`address` that serves /debug/pprof/")
	flags.DurationVar(&o.duration, "for", 10*time.Minute, "`duration` after which the service ends by itself")
	flags.DurationVar(&o.every, "every", time.Second, "mean `duration` from one call of each function to its next")
	// Some cost a file descriptor or a thread too, so that other limits are near.
	flags.IntVar(&o.maxGoroutines, "max-goroutines", 10_000, "`number` of goroutines from which on nothing more is called")
	_ = flags.Parse(args) // it exits by itself
	return o
}

// run makes mistakes until ctx is done. Leaked goroutines end with the process.
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
	surroundings, err := openSurroundings(ctx, listener)
	if err != nil {
		return err
	}
	fmt.Printf("leaks: profiles at http://%s/debug/pprof/, for the next %v\n", listener.Addr(), o.duration)
	callAll(ctx, patterns(surroundings), o)
	return surroundings.close()
}
