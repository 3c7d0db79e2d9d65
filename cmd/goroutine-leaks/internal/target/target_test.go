package target

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/pprof/profile"

	"github.com/otel-goroutine/otel-goroutine/internal/origin"
)

// serve returns a target that is served by a handler.
func serve(t *testing.T, access Access, handler http.HandlerFunc) *Target {
	t.Helper()
	server := httptest.NewServer(handler)
	found, err := New(server.URL, access)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		found.Close()
		server.Close()
	})
	return found
}

// realPprof serves the profiles of the test process, except the absent ones.
func realPprof(absent ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/debug/pprof/")
		if slices.Contains(absent, name) {
			http.NotFound(w, r)
			return
		}
		if name == "trace" {
			pprof.Trace(w, r)
			return
		}
		pprof.Index(w, r)
	}
}

func TestLook(t *testing.T) {
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		from    Source
		lacks   string
	}{
		{"a trace", realPprof(), Trace, ""},
		{"no trace", realPprof("trace"), Profile, "404"},
		{"a refused trace", func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "trace") {
				http.Error(w, "Could not enable tracing", http.StatusInternalServerError)
				return
			}
			realPprof()(w, r)
		}, Profile, "Could not enable tracing"},
		{"a text of debug=1", func(w http.ResponseWriter, r *http.Request) {
			r.URL.RawQuery = "debug=1"
			realPprof("trace")(w, r)
		}, Text, "debug=1"},
		{"a text of debug=2", func(w http.ResponseWriter, r *http.Request) {
			r.URL.RawQuery = "debug=2"
			realPprof("trace")(w, r)
		}, Text, "debug=2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			target := serve(t, Access{}, test.handler)
			for i := range 2 {
				look, err := target.Look(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if look.From != test.from || !strings.Contains(look.Lacks, test.lacks) || test.lacks == "" && look.Lacks != "" {
					t.Errorf("source %s, lacks %q", look.From, look.Lacks)
				}
				if look.Busy != (test.name == "a refused trace") {
					t.Errorf("busy is %v", look.Busy)
				}
				if look.Count() < 2 {
					t.Errorf("%d goroutines", look.Count())
				}
				if i == 1 && look.NewConnection {
					t.Error("a new connection for each look")
				}
			}
		})
	}
}

// TestDamagedTraces checks that traces are requested until three consecutive ones fail.
func TestDamagedTraces(t *testing.T) {
	pprof, damaged, traces := realPprof(), func(int) bool { return false }, 0
	target := serve(t, Access{}, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/trace") {
			if traces++; damaged(traces) {
				_, _ = w.Write([]byte("go 1.26 trace\x00\x00\x00"))
				return
			}
		}
		pprof.ServeHTTP(w, r)
	})
	look := func(want Source) {
		t.Helper()
		if got, err := target.Look(t.Context()); err != nil || got.From != want {
			t.Errorf("source %v after %d traces, want %v: %v", got.From, traces, want, err)
		}
	}
	damaged = func(n int) bool { return n == 2 || n >= 4 }
	for _, want := range []Source{Trace, Profile, Trace, Profile, Profile, Profile, Profile} {
		look(want)
	}
	if traces != 6 {
		t.Errorf("%d traces, want 6: none after three failures", traces)
	}
}

// TestBuild checks that the build ID comes from the smallest profile, and that a missing one is not
// an error.
func TestBuild(t *testing.T) {
	of := &profile.Mapping{ID: 1, Start: 1, Limit: 2, File: "/bin/shop", BuildID: "b1b1b1b1"}
	begin := &profile.Function{ID: 1, Name: "runtime.mstart", Filename: "/go/src/runtime/proc.go"}
	at := &profile.Location{ID: 1, Mapping: of, Address: 1, Line: []profile.Line{{Function: begin, Line: 1}}}
	threads := &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "threadcreate", Unit: "count"}}, PeriodType: &profile.ValueType{Type: "threadcreate", Unit: "count"}, Period: 1,
		Sample: []*profile.Sample{{Location: []*profile.Location{at}, Value: []int64{1}}}, Mapping: []*profile.Mapping{of}, Location: []*profile.Location{at}, Function: []*profile.Function{begin},
	}
	build := serve(t, Access{}, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/threadcreate") {
			_ = threads.Write(w) // the client may have disconnected
		}
	}).Build(t.Context())
	if build != "b1b1b1b1" {
		t.Errorf("build %q", build)
	}
	if build := serve(t, Access{}, http.NotFound).Build(t.Context()); build != "" {
		t.Errorf("build %q", build)
	}
}

// TestErrorResponses checks that errors say what to do.
func TestErrorResponses(t *testing.T) {
	page := "<!DOCTYPE html><html><form>login</form></html>"
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		want    string
	}{
		{"a login page", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(page)) }, "if it is a login page"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://login.example.com/secret", http.StatusFound)
		}, "redirect to login.example.com"},
		{"no pprof", http.NotFound, "check that the service imports net/http/pprof"},
		{"no access", func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "your token was abc", http.StatusUnauthorized)
		}, "--header or --token"},
		{"something else", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }, "not a profile"},
		{"nothing", func(http.ResponseWriter, *http.Request) {}, "not a profile"},
		{"a failure", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "out of order", http.StatusBadGateway) }, `"out of order"`},
		{"an incomplete response", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("go 1.26 trace"))
		}, "incomplete response"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := serve(t, Access{}, test.handler).Look(t.Context())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "abc") {
				t.Error("the error quotes the body, which may contain the token")
			}
		})
	}
}

func TestTimeout(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	target, err := New("127.0.0.1:1", Access{})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	if _, err := target.Look(ctx); err == nil || err.Error() != "no complete response within 15 s" {
		t.Errorf("got %v", err)
	}
}

func TestEndlessBody(t *testing.T) {
	_, err := response{Response: &http.Response{Body: io.NopCloser(zeros{}), ContentLength: -1}}.read()
	if !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

// zeros is an endless reader.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

// TestTLS checks that plain HTTP to a TLS server suggests https.
func TestTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(realPprof())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it logs the failed handshake
	server.StartTLS()
	defer server.Close()
	plain, err := New(strings.TrimPrefix(server.URL, "https://"), Access{})
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if _, err := plain.Look(t.Context()); err == nil || !strings.Contains(err.Error(), "https://") {
		t.Errorf("plain HTTP: %v", err)
	}
	insecure, err := New(server.URL, Access{Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	defer insecure.Close()
	if _, err := insecure.Look(t.Context()); err != nil {
		t.Errorf("insecure: %v", err)
	}
}

func TestCredentials(t *testing.T) {
	var got http.Header
	target := serve(t, Access{Headers: []string{"X-Team: a:b", "Host: pprof.internal"}, Token: "secret"}, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		got.Set("Host", r.Host)
		realPprof()(w, r)
	})
	if _, err := target.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"X-Team": "a:b", "Authorization": "Bearer secret", "Host": "pprof.internal"} {
		if got.Get(name) != want {
			t.Errorf("%s: %q", name, got.Get(name))
		}
	}
}

func TestInvalidAccess(t *testing.T) {
	for _, test := range []struct {
		access Access
		want   string
	}{
		{Access{Headers: []string{"secretsecretsecretsecretsecret"}}, `"Name: value"`},
		{Access{Headers: []string{"A: b\r\nC: d"}}, `"Name: value"`},
		{Access{Certificate: "a.pem"}, "--cert and --key"},
		{Access{CA: "target_test.go"}, "--ca target_test.go: no certificates"},
		{Access{CA: "absent.pem"}, "absent.pem"},
		{Access{Certificate: "absent.pem", Key: "absent.pem"}, "absent.pem"},
	} {
		_, err := New("h:1", test.access)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: error %v, want %q", test.access, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "secretsecretsecretsecretsecret") {
			t.Error("the error contains the whole header")
		}
	}
}

// TestOrigins checks that a trace of a second shows what starts goroutines that stay.
func TestOrigins(t *testing.T) {
	target := serve(t, Access{}, realPprof())
	release := make(chan struct{})
	var ended []chan struct{}
	start := func() {
		done := make(chan struct{})
		ended = append(ended, done)
		go func() {
			defer close(done)
			waitForRelease(release)
		}()
	}
	defer func() {
		close(release)
		for _, done := range ended {
			<-done
		}
	}()
	start()
	look, err := target.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var subjects origin.Subjects
	for _, g := range look.Groups {
		if strings.HasSuffix(g.Blamed.Function, "waitForRelease") {
			subjects.Groups = append(subjects.Groups, origin.Subject{Signature: g.Signature})
		}
	}
	if len(subjects.Groups) != 1 {
		t.Fatalf("%d groups wait here", len(subjects.Groups))
	}
	ctx, cancel := context.WithCancel(t.Context())
	births := make(chan struct{})
	go func() { // starts goroutines during the trace
		defer close(births)
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				start()
			}
		}
	}()
	origins, err := target.Origins(t.Context(), time.Second, subjects)
	cancel()
	<-births
	if err != nil {
		t.Fatal(err)
	}
	if len(origins) != 1 || len(origins[0].Creators) == 0 || !strings.Contains(origins[0].Creators[0].Own.Function, "TestOrigins") {
		t.Errorf("%+v", origins)
	}
}

//go:noinline
func waitForRelease(release chan struct{}) { <-release }
