// Detect is the detection table: how right the detector is about leaks, beside
// those that people use today.
//
// It simulates processes, goroutine by goroutine, of which it knows what leaks, passes
// their data through the detector's core, and counts who was flagged. The same cases are
// given to the rivals (rivals.go), and of each leak it is computed when it could be found
// at the earliest (oracle.go).
//
//	go run ./detect -write detect/result.txt   # what make detect-bench does
//	go run ./detect -check detect/result.txt   # fails if it would be another, by the first cases
//	go run ./detect -from 1000                 # plays other cases than those that the rules were tried on
//	go run ./detect -cases                     # also lists who was missed or accused
//	go run ./detect -draw ../docs/census.svg   # only draws what the census sees
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
)

func main() {
	if err := bench(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var errOther = errors.New("the result differs from the file: run make detect-bench, and commit it if it is what you want")

func bench() error {
	write := flag.String("write", "", "file to write the result to")
	check := flag.String("check", "", "file with a result that is to be current")
	cases := flag.Bool("cases", false, "list the cases that our columns got wrong")
	from := flag.Int("from", 0, "the first seed; the rules were tried on the cases from 0 on")
	drawn := flag.String("draw", "", "file to write a drawing to, instead of all else")
	flag.Parse()

	if *drawn != "" {
		var image bytes.Buffer
		if err := draw(&image); err != nil {
			return err
		}
		return os.WriteFile(*drawn, image.Bytes(), 0o644)
	}
	// Nearly all memory is garbage of the batch before, and there is enough of
	// it: a fifth of the time is saved.
	debug.SetGCPercent(800)
	all := families()
	if *check != "" {
		return checkFirst(*check, all)
	}
	results := run(all, *from, seeds, runtime.GOMAXPROCS(0))
	var result bytes.Buffer
	report(&result, all, results)
	if _, err := os.Stdout.Write(result.Bytes()); err != nil {
		return err
	}
	if *cases {
		writeCases(os.Stdout, all, results)
	}
	if *write != "" {
		if err := os.WriteFile(*write, result.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// firstCases is how many cases of each family tell whether a result is current. The
// detector cannot change without changing one of thousands.
const firstCases = 20

// checkFirst plays the first cases and compares what became of them with a result.
func checkFirst(file string, all []family) error {
	committed, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	digest := digestOf(run(all, 0, firstCases, runtime.GOMAXPROCS(0)))
	if !bytes.Contains(committed, []byte(digest)) {
		return errOther
	}
	_, figures, _ := bytes.Cut(committed, []byte("\nFigures:\n"))
	_, err = os.Stdout.Write(figures)
	return err
}

// digestOf returns a hash of what became of the first cases of each family.
func digestOf(results [][]played) string {
	h := sha256.New()
	for _, cases := range results {
		for _, c := range cases[:min(len(cases), firstCases)] {
			for _, o := range c.columns {
				if o != nil {
					fmt.Fprintf(h, "%+v\n", *o)
				}
			}
			fmt.Fprintf(h, "%+v %+v\n", c.leaks, c.service)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// report prints everything that the cases say.
func report(w io.Writer, all []family, results [][]played) {
	t := sumUp(all, results)
	fmt.Fprint(w, legend)
	t.write(w)
	fmt.Fprintln(w, "\nTime until probable, with the census, max_lifetime 12h:")
	writePace(w, all, results, censusProbable)
	fmt.Fprintln(w, "\nTime until probable, with the census, max_lifetime 1h:")
	writePace(w, all, results, callsProbable)
	fmt.Fprintln(w, "\nTime until probable for the service as a whole, max_lifetime 12h:")
	writePace(w, all, results, serviceProbable)
	fmt.Fprintln(w, "\nFigures:")
	writeFigures(w, figures(t, results))
	fmt.Fprintf(w, "\nThe first %d cases of each family, as a hash (SHA-256): %s\n", firstCases, digestOf(results))
}
