package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

const page = "<!DOCTYPE html><html><body>Please log in</body></html>"

// newFaults returns all faults by name. Bodies that are expensive to make are made at the first request.
func newFaults(plain, secure string) map[string]http.HandlerFunc {
	all := map[string]http.HandlerFunc{
		// Compression. A goroutine profile is already in gzip.
		"zeroes-in-gzip":       body(zeroesInGzip),
		"zeroes-encoded":       encoded(body(zeroesInGzip)),
		"zeroes-in-two-gzips":  encoded(body(gzipOf(zeroesInGzip))),
		"profile-encoded":      encoded(body(gzipOf(goroutines))),
		"profile-in-two-gzips": body(gzipOf(goroutines)),
		"plain-as-encoded":     encoded(body(text)),

		// Size.
		"one-string":         body(gzipOf(oneString)),
		"one-string-plain":   body(oneString),
		"empty-samples":      body(gzipOf(emptySamples)),
		"empty-labels":       body(gzipOf(emptyLabels)),
		"empty-labels-plain": body(emptyLabels),
		"empty-locations":    body(gzipOf(emptyLocations)),
		"empty-mappings":     body(gzipOf(emptyMappings)),
		"empty-strings":      body(gzipOf(emptyStrings)),

		// Contradictions.
		"no-such-string":   body(gzipOf(noSuchString)),
		"no-such-location": body(gzipOf(noSuchLocation)),
		"no-such-function": body(gzipOf(noSuchFunction)),
		"same-ids":         body(gzipOf(sameIDs)),
		"negative-count":   body(gzipOf(negativeCount)),
		"huge-counts":      body(gzipOf(hugeCounts)),
		"hostile-names":    body(gzipOf(hostileNames)),

		// HTTP.
		"headers":       headers,
		"endless":       endless(nil, []byte{0}),
		"endless-text":  endless(nil, []byte("forbidden ")),
		"endless-true":  endless(small().sample(1, 1, 2), message{}.strings("some name")),
		"endless-trace": endless([]byte("go 1.26 trace\x00\x00\x00"), eventsOfNothing()),
		"drip":          drip,
		"length-short":  length(100),
		"length-long":   length(1_000_000),
		"length-huge":   length(1 << 40),
		"reset":         reset,
		"hung":          func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"slow":          slow,
		"to-elsewhere":  redirect(strings.Replace(plain, "127.0.0.1", "localhost", 1)),
		"to-https":      redirect(secure),
		"to-http":       redirect(plain),
		"to-link-local": redirect("http://169.254.169.254"),

		// Something else.
		"html":  body(func() []byte { return []byte(page) }),
		"empty": body(func() []byte { return nil }),
		"text":  body(text),
		"heap":  body(heap),

		// Traces.
		"trace-of-nothing":    body(func() []byte { return []byte("go 1.26 trace\x00\x00\x00") }),
		"trace-of-the-future": body(func() []byte { return []byte("go 1.99 trace\x00\x00\x00") }),
		"trace-backwards":     body(backwards),
		"trace-swapped":       body(swapped),
		"trace-generation":    body(hugeGeneration),
		"trace-long":          body(longTrace),
		"trace-cut":           cutTrace(),
	}
	for _, status := range []int{401, 403, 404, 429, 500} {
		all[strconv.Itoa(status)] = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			fmt.Fprint(w, page)
		}
	}
	return all
}

// body serves the same bytes for any path.
func body(b func() []byte) http.HandlerFunc {
	b = sync.OnceValue(b)
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(b()) }
}

// encoded sets Content-Encoding to gzip.
func encoded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, request *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		next(w, request)
	}
}

// cutTrace serves a trace that is truncated at byte 100, then at 200, and so on, and starts again at the end.
func cutTrace() http.HandlerFunc {
	var mu sync.Mutex
	var at int
	whole := sync.OnceValue(shortTrace)
	return func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if at += 100; at >= len(whole()) {
			at = 100
		}
		w.Header().Set("X-Whole", strconv.Itoa(len(whole())))
		_, _ = w.Write(whole()[:at])
	}
}
