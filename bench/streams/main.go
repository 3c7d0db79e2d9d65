// Streams measures what detecting costs, and how that grows with the number of streams, of
// which each has a point a minute: counts, aged goroutines and exits of groups of goroutines.
// Beside it runs contrib's delta_to_cumulative on the same points.
//
//	go run ./streams                                # what make bench does
//	go run ./streams -write results/detecting.json  # and keeps what was measured, as make scale-bench does
//
// All is CPU time of the whole process, garbage collection among it, less what it takes to
// make the batches.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	if err := bench(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// peerModule is where the peer comes from.
const peerModule = "github.com/open-telemetry/opentelemetry-collector-contrib/processor/deltatocumulativeprocessor"

// The numbers of streams that growth is told by, and that which the peer is measured with: it
// takes 3 KiB for each.
const besidePeer = 100_000

func sizes() []int { return []int{10_000, 30_000, 100_000, 300_000, 1_000_000} }

func bench() error {
	write := flag.String("write", "", "file to write the results to")
	flag.Parse()
	results, err := measureAll(sizes(), besidePeer)
	if err != nil {
		return err
	}
	for _, p := range results.Growth {
		fmt.Printf("%-50s %10.4g core\n", fmt.Sprintf("%d streams, a point a minute each", p.Number), p.Cores)
	}
	for _, r := range results.Rows {
		fmt.Println(r)
	}
	if *write == "" {
		return nil
	}
	if results, err = results.OfThisMachine(peerModule); err != nil {
		return err
	}
	return results.Write(*write)
}
