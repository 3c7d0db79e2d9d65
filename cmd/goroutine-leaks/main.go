// Command goroutine-leaks finds goroutine leaks in running Go processes, in a minute and without
// a collector.
//
// The exit status is 0 on success, 1 if check found a leak, 2 on errors, and 3 if there is too
// little data to decide.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit statuses.
const (
	statusOK           = 0
	statusLeak         = 1
	statusFailure      = 2
	statusInsufficient = 3
)

const (
	description = "Finds goroutine leaks in running Go processes."
	details     = `
The processes must serve net/http/pprof. Each look takes an execution trace of a millisecond, which lists every goroutine. The rules are those of otel-goroutine's collector, with thresholds scaled to the time watched. It never requests debug=2, which stops a process.

  goroutine-leaks :6060                    watch for 50 s and report leaks
  goroutine-leaks check :6060 --for 2m     for CI: exit with status 1 if goroutines leak
  goroutine-leaks diff before.pprof :6060  compare a saved profile with the process

Exit status: 0 on success, 1 if check found a leak, 2 on errors, 3 if there is too little data to decide.`
)

// commands is the command line.
type commands struct {
	Look   lookCommand   `cmd:"" default:"withargs" help:"Watch processes and report leaks (the default)."`
	Check  checkCommand  `cmd:"" help:"Watch processes and exit with status 1 if goroutines leak, for CI and soak tests."`
	Serve  serveCommand  `cmd:"" help:"Watch processes until interrupted and serve a page of the leaks."`
	Replay replayCommand `cmd:"" help:"Report what would have been flagged in samples stored in Prometheus."`
	Diff   diffCommand   `cmd:"" help:"Compare two saved profiles, traces or dumps, or one with a running process."`

	Version kong.VersionFlag `help:"Show the version."`
}

// streams are the outputs of a command.
type streams struct {
	stdout, stderr io.Writer
	// terminal is stdout if it is a terminal, else nil.
	terminal *os.File
	// width is the maximum line length in columns, 0 if unlimited.
	width int
}

// statusError is the exit status of a command that has already reported its result.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("status %d", int(e)) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	out := streams{stdout: os.Stdout, stderr: os.Stderr}
	out.findTerminal(os.Stdout, os.Getenv)
	os.Exit(run(ctx, os.Args[1:], out))
}

// run parses the arguments, runs the command and returns the exit status.
func run(ctx context.Context, args []string, out streams) (status int) {
	var c commands
	exited := false
	parser, err := kong.New(&c,
		kong.Name("goroutine-leaks"),
		kong.Description(description+details),
		kong.Writers(out.stdout, out.stderr),
		kong.Exit(func(code int) { exited, status = true, code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		durations,
		kong.Vars{"version": version(debug.ReadBuildInfo())},
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(out),
	)
	if err != nil {
		fmt.Fprintln(out.stderr, "goroutine-leaks:", err)
		return statusFailure
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
	code := statusError(statusFailure)
	switch {
	case err == nil:
		return statusOK
	case errors.As(err, &code):
	default:
		fmt.Fprintln(out.stderr, "goroutine-leaks:", cmp.Or(misspelledCommand(parser, args), err))
	}
	return int(code)
}

// misspelledCommand returns an error if the arguments begin with a misspelled command, which is an
// address for the default command. Without that, kong compares it with the commands.
func misspelledCommand(parser *kong.Kong, args []string) error {
	parser.Model.DefaultCmd = nil
	if _, err := parser.Parse(args); err != nil && strings.Contains(err.Error(), "unexpected argument "+args[0]+", did you mean") {
		return err
	}
	return nil
}
