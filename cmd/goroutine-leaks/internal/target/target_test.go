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

// serve returns a target that answers as a handler does.
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

// realPprof serves this process, of which the parts that are named are absent.
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
		{"a trace that is refused", func(w http.ResponseWriter, r *http.Request) {
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
					t.Errorf("by %s, which lacks %q", look.From, look.Lacks)
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

// One trace that is damaged is no reason to give up on traces. One that never comes is not asked for
// again.
func TestTracesThatFailByChance(t *testing.T) {
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
			t.Errorf("by %v after %d traces, want %v: %v", got.From, traces, want, err)
		}
	}
	damaged = func(n int) bool { return n == 2 || n >= 4 }
	for _, want := range []Source{Trace, Profile, Trace, Profile, Profile, Profile, Profile} {
		look(want)
	}
	if traces != 6 {
		t.Errorf("%d traces, want 6: no more after three that failed", traces)
	}
}

// The build is told by the smallest profile; that it cannot be had is no failure.
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
			_ = threads.Write(w) // whoever asked may be gone
		}
	}).Build(t.Context())
	if build != "b1b1b1b1" {
		t.Errorf("build %q", build)
	}
	if build := serve(t, Access{}, http.NotFound).Build(t.Context()); build != "" {
		t.Errorf("build %q", build)
	}
}

// What an answer of another kind means is said so that the user knows what to do.
func TestWhatIsWrong(t *testing.T) {
	page := "<!DOCTYPE html><html><form>login</form></html>"
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		says    string
	}{
		{"a login page", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(page)) }, "is it a login page?"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://login.example.com/secret", http.StatusFound)
		}, "302 Found to login.example.com"},
		{"no pprof", http.NotFound, "does the service import net/http/pprof"},
		{"no access", func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "your token was abc", http.StatusUnauthorized)
		}, "--header and --token"},
		{"something else", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }, "not a profile"},
		{"nothing", func(http.ResponseWriter, *http.Request) {}, "not a profile"},
		{"a failure", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "out of order", http.StatusBadGateway) }, `"out of order"`},
		{"an answer that breaks off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("go 1.26 trace"))
		}, "broke off"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := serve(t, Access{}, test.handler).Look(t.Context())
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, which does not say %q", err, test.says)
			}
			if err != nil && strings.Contains(err.Error(), "abc") {
				t.Error("the error repeats what a refusal says, which may be the token")
			}
		})
	}
}

// A body that does not end is not read for ever.
func TestNoAnswerInTime(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	target, err := New("127.0.0.1:1", Access{})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	if _, err := target.Look(ctx); err == nil || err.Error() != "no full answer within 15 s" {
		t.Errorf("got %v", err)
	}
}

func TestEndlessBody(t *testing.T) {
	_, err := readAll(answer{Response: &http.Response{Body: io.NopCloser(zeros{}), ContentLength: -1}})
	if !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

// zeros has no end.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

func TestTLSIsTold(t *testing.T) {
	server := httptest.NewUnstartedServer(realPprof())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it tells of the handshake that is to fail
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

// Credentials reach the target.
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

func TestWrongAccess(t *testing.T) {
	for _, test := range []struct {
		access Access
		says   string
	}{
		{Access{Headers: []string{"secretsecretsecretsecretsecret"}}, `"Name: value"`},
		{Access{Headers: []string{"A: b\r\nC: d"}}, `"Name: value"`},
		{Access{Certificate: "a.pem"}, "--cert and --key"},
		{Access{CA: "target_test.go"}, "no certificate"},
		{Access{CA: "absent.pem"}, "absent.pem"},
		{Access{Certificate: "absent.pem", Key: "absent.pem"}, "absent.pem"},
	} {
		_, err := New("h:1", test.access)
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%+v: %v", test.access, err)
		}
		if err != nil && strings.Contains(err.Error(), "secretsecretsecretsecretsecret") {
			t.Error("the error repeats a header")
		}
	}
}

// A trace of a second shows who starts a goroutine that stays.
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
	go func() { // births while it is traced
		defer close(births)
		again := time.NewTicker(20 * time.Millisecond)
		defer again.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-again.C:
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
