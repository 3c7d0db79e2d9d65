// Command faultserver serves faulty pprof endpoints for the tests of the receiver, each at /NAME/debug/pprof,
// and a sound one at /sound/debug/pprof.
//
// It prints its URLs, plain and TLS, and exits at the end of its standard input. The optional argument is a
// number of waiting goroutines to start.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

func main() {
	if len(os.Args) > 1 {
		n, err := strconv.Atoi(os.Args[1])
		if err != nil {
			log.Fatalf("faultserver: number of goroutines: %v", err)
		}
		for range n {
			go wait()
		}
	}
	s := &server{}
	plain := httptest.NewServer(s)
	defer plain.Close()
	secure := httptest.NewTLSServer(s)
	defer secure.Close()
	s.faults = newFaults(plain.URL, secure.URL)
	fmt.Println(plain.URL)
	fmt.Println(secure.URL)
	_, _ = io.Copy(io.Discard, os.Stdin) // until the parent process exits
}

func wait() { <-make(chan struct{}) }

// server serves all faults, and counters for the tests.
type server struct {
	faults map[string]http.HandlerFunc
	// elsewhere counts the redirected requests that arrive.
	elsewhere atomic.Int64
	// ended is when the latest response of a fault without a number was written, in ns since 1970.
	ended atomic.Int64
}

func (s *server) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	name, path, _ := strings.Cut(strings.TrimPrefix(request.URL.Path, "/"), "/")
	request.URL.Path = "/" + path
	name, number, _ := strings.Cut(name, "~") // many targets can share a fault
	switch name {
	case "sound":
		sound(w, request)
	case "elsewhere":
		s.elsewhere.Add(1)
		sound(w, request)
	case "asked-elsewhere":
		fmt.Fprint(w, s.elsewhere.Load())
	case "ended":
		fmt.Fprint(w, s.ended.Load())
	case "names":
		for name := range s.faults {
			fmt.Fprintln(w, name)
		}
	default:
		serve, ok := s.faults[name]
		if !ok {
			http.NotFound(w, request)
			return
		}
		serve(w, request)
		if number == "" {
			s.ended.Store(time.Now().UnixNano())
		}
	}
}

// sound serves net/http/pprof.
func sound(w http.ResponseWriter, request *http.Request) {
	if request.URL.Path == "/debug/pprof/trace" {
		pprof.Trace(w, request)
		return
	}
	pprof.Index(w, request)
}
