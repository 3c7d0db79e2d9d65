// Command goroutine-leaks looks at running Go processes and tells which goroutines leak in
// them, in a minute and without a collector.
//
// Its exit status is 0 if it did what it was asked for and, of check, found no leak; 1 if
// check found one; 2 if it could not look; 3 if check has not seen enough to say.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// The exit statuses.
const (
	statusClean       = 0
	statusLeak        = 1
	statusFailed      = 2
	statusNotEnough   = 3
	description       = "Looks at running Go processes and tells which goroutines leak in them."
	longerDescription = `
Of a process it needs net/http/pprof. It takes a very short execution trace at each look, which lists every goroutine, and judges as the collector of otel-goroutine does, with thresholds that are scaled to the time it looks. It never asks for debug=2, which stops a process.

  goroutine-leaks :6060                    look for a minute
  goroutine-leaks check :6060 --for 2m     for CI: exit status 1 if anything leaks
  goroutine-leaks diff before.pprof :6060  what a saved profile did not have`
)

// commands are all that can be asked for.
type commands struct {
	Look   lookCommand   `cmd:"" default:"withargs" help:"Look at processes, and tell what leaks (the default)."`
	Check  checkCommand  `cmd:"" help:"Look, and exit with 1 if anything leaks: for CI and soak tests."`
	Serve  serveCommand  `cmd:"" help:"Look until interrupted, and serve a page of what is found."`
	Replay replayCommand `cmd:"" help:"Judge what a Prometheus has kept: what would have been flagged, and when."`
	Diff   diffCommand   `cmd:"" help:"Compare two saved profiles, traces or dumps, or one with now."`
}

// streams are where a command writes to.
type streams struct {
	stdout, stderr io.Writer
	// terminal is stdout if that is a terminal, nil if not; and width that of a line, 0 if
	// it does not matter.
	terminal *os.File
	width    int
}

// statusError ends a command with a status. What there is to say has been said.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("status %d", int(e)) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait
	out := streams{stdout: os.Stdout, stderr: os.Stderr}
	out.findTerminal(os.Stdout, os.Getenv)
	os.Exit(run(ctx, os.Args[1:], out))
}

// run does what the arguments ask for, and returns the exit status.
func run(ctx context.Context, args []string, out streams) (status int) {
	var c commands
	exited := false
	parser, err := kong.New(&c,
		kong.Name("goroutine-leaks"),
		kong.Description(description+longerDescription),
		kong.Writers(out.stdout, out.stderr),
		kong.Exit(func(code int) { exited, status = true, code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(out),
	)
	if err != nil {
		fmt.Fprintln(out.stderr, "goroutine-leaks:", err)
		return statusFailed
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if exited {
		return status
	}
	if err == nil {
		err = parsed.Run()
	}
	code := statusError(statusFailed)
	switch {
	case err == nil:
		return statusClean
	case errors.As(err, &code):
	default:
		fmt.Fprintln(out.stderr, "goroutine-leaks:", err)
	}
	return int(code)
}
