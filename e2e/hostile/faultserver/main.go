// Command faultserver serves pprof endpoints that are not what they should be: each
// under a path of its own, /NAME/debug/pprof, and beside them one that is sound,
// /sound/debug/pprof. The tests of the receiver scrape it.
//
// It prints its addresses, plain and TLS, and ends with its standard input. An
// argument is how many goroutines it has waiting.
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
			log.Fatalf("faultserver: how many goroutines? %v", err)
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
	_, _ = io.Copy(io.Discard, os.Stdin) // until whoever started it is gone
}

func wait() { <-make(chan struct{}) }

// server serves all faults, and what a test must know of them.
type server struct {
	faults map[string]http.HandlerFunc
	// elsewhere counts requests for what is no target.
	elsewhere atomic.Int64
	// ended is when the latest fault without a number had been written, in ns
	// since 1970.
	ended atomic.Int64
}

func (s *server) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	name, path, _ := strings.Cut(strings.TrimPrefix(request.URL.Path, "/"), "/")
	request.URL.Path = "/" + path
	name, number, _ := strings.Cut(name, "~") // so that many targets can be one
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

// sound serves what net/http/pprof does.
func sound(w http.ResponseWriter, request *http.Request) {
	if request.URL.Path == "/debug/pprof/trace" {
		pprof.Trace(w, request)
		return
	}
	pprof.Index(w, request)
}
