// Command demo runs the leaky service and the collector on loopback, shows what the
// collector flags, and compares it with what was planted.
//
// Its exit status is
//
//	0    every planted leak was found and nothing healthy was flagged
//	1    that is not so, or something failed
//	2    the command line or an environment variable is wrong
//	130  it was interrupted before every planted leak was found
//
// It is interrupted by SIGINT, SIGTERM and SIGHUP. Whichever way it ends, both
// children are gone when it has ended.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// The exit statuses.
const (
	statusOK          = 0
	statusFailed      = 1
	statusUsage       = 2
	statusInterrupted = 130 // as a shell reports SIGINT
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait
	os.Exit(demonstrate(ctx, os.Args[1:], os.Getenv, newScreen(os.Stdout), os.Stderr))
}

// programs are the files that the demonstration runs.
type programs struct{ collector, service, config string }

func parse(args []string, stderr io.Writer) (programs, error) {
	var p programs
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&p.collector, "collector", "bin/otelcol-goroutine", "the collector, a `file`")
	flags.StringVar(&p.service, "service", "bin/leaky", "the leaky service, a `file`")
	flags.StringVar(&p.config, "config", "examples/demo/collector.yaml", "the collector's configuration, a `file`")
	err := flags.Parse(args)
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
		fmt.Fprintln(stderr, "demo:", err)
	}
	return p, err
}

// demonstrate does everything and returns the exit status.
func demonstrate(ctx context.Context, args []string, getenv func(string) string, screen *screen, stderr io.Writer) int {
	p, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return statusOK
	case err != nil:
		return statusUsage
	}
	s, err := readSettings(getenv)
	if err != nil {
		fmt.Fprintln(stderr, "demo:", err)
		return statusUsage
	}
	v, err := play(ctx, p, s, screen)
	interrupted := errors.Is(err, context.Canceled)
	if err != nil && !interrupted {
		fmt.Fprintln(stderr, "demo:", err)
		return statusFailed
	}
	screen.say(v.lines()...)
	switch {
	case v.ok():
		return statusOK
	case interrupted && len(v.healthy) == 0:
		return statusInterrupted
	default:
		return statusFailed
	}
}
