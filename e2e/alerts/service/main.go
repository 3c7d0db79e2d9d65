// Command service is the service in the tests of the alerts. Its load varies, and it leaks goroutines if
// -leak is set. It serves net/http/pprof.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	_ "net/http/pprof" // on the default mux, as in most services
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal does not wait
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "service:", err)
		os.Exit(1)
	}
}

// run serves and works until ctx ends.
func run(ctx context.Context) error {
	listen := flag.String("listen", "127.0.0.1:6060", "`address` that serves /debug/pprof/")
	release := flag.Int("release", 1, "`number` of the release, 1 or 2: the same work at other lines")
	leak := flag.Duration("leak", 0, "`duration` from one leaked goroutine to the next; 0 leaks nothing")
	hold := flag.Int("hold", 0, "`number` of goroutines that wait for the end of the service")
	repaired := flag.Bool("repaired", false, "do not leak, whatever -leak is")
	duration := flag.Duration("for", 10*time.Minute, "`duration` after which the service exits")
	flag.Parse()

	ctx, cancel := context.WithTimeout(ctx, *duration)
	defer cancel()
	server := &http.Server{Addr: *listen, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	for range *hold {
		go func() { <-ctx.Done() }()
	}
	go work(ctx, *release)
	if *leak > 0 {
		go order(ctx, *leak, *repaired)
	}
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
