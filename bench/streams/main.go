// Command streams measures the cost of detection, and how it grows with the number of streams. Each stream has a point a
// minute: counts, aged goroutines or exits of a group of goroutines. For comparison it measures contrib's
// delta_to_cumulative with the same points.
//
//	go run ./streams                                # as make bench
//	go run ./streams -write results/detecting.json  # also writes the results, as make scale-bench
//
// All times are CPU times of the whole process, including garbage collection, minus the time to make the batches.
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

// peerModule is the module of the peer.
const peerModule = "github.com/open-telemetry/opentelemetry-collector-contrib/processor/deltatocumulativeprocessor"

// besidePeer is the number of streams with which the peer is measured. It takes 3 KiB for each.
const besidePeer = 100_000

// sizes returns the numbers of streams for growth.
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
