// Command detect makes the detection table: the accuracy of the detector and of rules in use today.
//
// It simulates processes with known leaks, goroutine by goroutine, passes their data through the core of the detector,
// and counts the flags. The same cases are given to the rivals (rivals.go). For each leak it computes the earliest time
// at which it could be found (oracle.go).
//
//	go run ./detect -write detect/result.txt   # what make detect-bench does
//	go run ./detect -check detect/result.txt   # fails if the file is not current, by the first cases
//	go run ./detect -from 1000                 # plays other cases than those with which the rules were developed
//	go run ./detect -only "among sessions"     # plays only the families whose name contains this, in seconds
//	go run ./detect -cases                     # also lists missed leaks and false alarms
//	go run ./detect -draw ../docs/census.svg   # only draws the census
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
	"runtime/debug"
)

func main() {
	if err := bench(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var errOnly = errors.New("-only cannot be combined with -write or -check, which need all families")

var errNotCurrent = errors.New("the result differs from the file: run make detect-bench, and commit it if it is what you want")

func bench() error {
	write := flag.String("write", "", "file to write the result to")
	check := flag.String("check", "", "file with a result that must be current")
	cases := flag.Bool("cases", false, "list the errors of our columns")
	from := flag.Int("from", 0, "first seed; the rules were developed with the cases from 0")
	only := flag.String("only", "", "play only the families whose name contains this")
	drawn := flag.String("draw", "", "file to write only a drawing to")
	flag.Parse()

	if *drawn != "" {
		var image bytes.Buffer
		if err := draw(&image); err != nil {
			return err
		}
		return os.WriteFile(*drawn, image.Bytes(), 0o644)
	}
	// Most memory is garbage of the previous case. This saves a fifth of the time.
	debug.SetGCPercent(800)
	all := selectFamilies(families(), *only)
	switch {
	case *only != "" && (*write != "" || *check != ""):
		return errOnly
	case len(all) == 0:
		return fmt.Errorf("no family has a name that contains %q", *only)
	case *check != "":
		return checkFirst(*check, all)
	}
	results := runWithProgress(os.Stderr, all, *from, seeds)
	var result bytes.Buffer
	if *only != "" {
		reportTables(&result, all, results)
	} else {
		report(&result, all, results)
	}
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

// firstCases is the number of cases of each family by which checkFirst decides whether a result is current. Any change
// of the detector changes at least one of them.
const firstCases = 20

// checkFirst plays the first cases and compares their digest with that in a result.
func checkFirst(file string, all []family) error {
	committed, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	digest := digestOf(runWithProgress(os.Stderr, all, 0, firstCases))
	if !bytes.Contains(committed, []byte(digest)) {
		return errNotCurrent
	}
	_, figures, _ := bytes.Cut(committed, []byte("\nFigures:\n"))
	_, err = os.Stdout.Write(figures)
	return err
}

// digestOf returns a hash of the outcomes of the first cases of each family.
func digestOf(results [][]caseResult) string {
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

// report prints all results. It needs all families.
func report(w io.Writer, all []family, results [][]caseResult) {
	t := reportTables(w, all, results)
	fmt.Fprintln(w, "\nFigures:")
	writeFigures(w, figures(t, results))
	fmt.Fprintf(w, "\nThe first %d cases of each family, as a hash (SHA-256): %s\n", firstCases, digestOf(results))
}

// reportTables prints the tables of some families, and returns their scores.
func reportTables(w io.Writer, all []family, results [][]caseResult) *tally {
	t := sumUp(all, results)
	fmt.Fprint(w, legend)
	t.write(w)
	fmt.Fprintln(w, "\nTime until probable, with the census, max_lifetime 12h:")
	writeTimings(w, all, results, censusProbable)
	fmt.Fprintln(w, "\nTime until probable, with the census, max_lifetime 1h:")
	writeTimings(w, all, results, callsProbable)
	fmt.Fprintln(w, "\nTime until probable for the service as a whole, max_lifetime 12h:")
	writeTimings(w, all, results, serviceProbable)
	return t
}
