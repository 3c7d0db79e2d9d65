package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"runtime/pprof"
	"runtime/trace"
	"time"

	"github.com/otel-goroutine/otel-goroutine/bench/scrape/shop000"
)

// recording has the responses of one service: consecutive snapshots of a process, between which a tenth of the
// goroutines are replaced.
type recording struct {
	traces, profiles [][]byte
	threads          []byte
}

const (
	// snapshots is the number of different snapshots. The last one is served after all others.
	snapshots = 8
	// services is the number of services with different names.
	services = 100
	// recorded is the name in the recording that each service replaces with its own.
	recorded = "shop000"
)

// record records this process with about the given number of goroutines, and returns a recording for each service.
func record(goroutines int) ([]recording, error) {
	one, err := recordOne(goroutines)
	if err != nil {
		return nil, err
	}
	all := make([]recording, services)
	for i := range all {
		if all[i], err = one.renamed(fmt.Sprintf("shop%03d", i)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func recordOne(goroutines int) (r recording, err error) {
	shop := shop000.Open(goroutines)
	defer shop.Close()
	for range snapshots {
		var traced, profile bytes.Buffer
		if err := trace.Start(&traced); err != nil {
			return r, err
		}
		time.Sleep(time.Millisecond)
		trace.Stop()
		if err := pprof.Lookup("goroutine").WriteTo(&profile, 0); err != nil {
			return r, err
		}
		r.traces, r.profiles = append(r.traces, traced.Bytes()), append(r.profiles, profile.Bytes())
		shop.Exchange(goroutines / 10)
	}
	var threads bytes.Buffer
	err = pprof.Lookup("threadcreate").WriteTo(&threads, 0)
	r.threads = threads.Bytes()
	return r, err
}

// renamed returns the recording of a service with another name of the same length.
func (r recording) renamed(name string) (recording, error) {
	from, to := []byte(recorded), []byte(name)
	renamed := recording{threads: r.threads}
	for i := range r.traces {
		renamed.traces = append(renamed.traces, bytes.ReplaceAll(r.traces[i], from, to))
		profile, err := gunzip(r.profiles[i])
		if err != nil {
			return renamed, err
		}
		packed, err := gzipped(bytes.ReplaceAll(profile, from, to))
		if err != nil {
			return renamed, err
		}
		renamed.profiles = append(renamed.profiles, packed)
	}
	return renamed, nil
}

func gunzip(packed []byte) ([]byte, error) {
	from, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(from)
}

func gzipped(plain []byte) ([]byte, error) {
	var packed bytes.Buffer
	to := gzip.NewWriter(&packed)
	_, err := to.Write(plain)
	err = errors.Join(err, to.Close())
	return packed.Bytes(), err
}
