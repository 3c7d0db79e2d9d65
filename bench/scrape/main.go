// Command scrape measures the cost of scraping many targets of 500 goroutines, how it grows with their number, and
// whether each target is scraped in time. For comparison it measures contrib's prometheus receiver with a page of 200
// series for each target.
//
//	go run ./scrape -peer FILE                            # as make scrape-bench; 20 minutes
//	go run ./scrape -peer FILE -write results/scraping.json
//
// One server process serves recorded traces and profiles of 100 services at the addresses of all targets. The receiver
// runs in another process with the defaults of the collector, but without a pipeline and exporters, which cost more.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/otel-goroutine/otel-goroutine/bench/internal/meter"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver"
)

// goroutines is the number of goroutines of a target.
const goroutines = 500

// Subcommands of the child processes.
const (
	serving   = "serve"
	receiving = "receive"
)

const ownModule = "github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case serving:
			interval, err := time.ParseDuration(os.Args[2])
			if err != nil {
				return err
			}
			return serve(os.Stdin, os.Stdout, interval)
		case receiving:
			return meter.Main(os.Stdin, os.Stdout, ownModule, goroutinereceiver.NewFactory(), configure)
		}
	}
	return bench()
}

func bench() error {
	write := flag.String("write", "", "file to write the results to")
	peer := flag.String("peer", "", "binary of ./scrape/prometheus; if empty, the peer is not measured")
	flag.Parse()
	results, err := full(*peer).measure(os.Stderr)
	if err != nil {
		return err
	}
	for _, p := range results.Growth {
		fmt.Printf("%-72s %8.3g core\n", fmt.Sprintf("%d targets", p.Number), p.Cores)
	}
	for _, r := range results.Rows {
		fmt.Println(r)
	}
	if *write == "" {
		return nil
	}
	return results.Write(*write)
}
