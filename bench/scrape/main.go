// Command scrape measures what it costs to scrape many targets of 500 goroutines, how that grows
// with their number, and whether each is scraped in time. Beside it runs contrib's prometheus
// receiver on a page of 200 series of each target.
//
//	go run ./scrape -peer FILE                            # what make scrape-bench does; 20 minutes
//	go run ./scrape -peer FILE -write results/scraping.json
//
// The targets are addresses of one server, in a process of its own, that serves recorded traces
// and profiles of 100 services. The receiver has a process of its own too, with the defaults of
// the collector, and nothing behind it: pipelines and exporters cost more.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/otel-goroutine/otel-goroutine/bench/internal/meter"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver"
)

// goroutines is how many a target has.
const goroutines = 500

// The processes that this one starts.
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
	peer := flag.String("peer", "", "binary of ./scrape/prometheus; none leaves the peer out")
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
