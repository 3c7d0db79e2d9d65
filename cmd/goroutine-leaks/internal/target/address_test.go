package target

import (
	"errors"
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	for argument, want := range map[string]string{
		"10.0.0.5:6060":                "http://10.0.0.5:6060/debug/pprof",
		"6060":                         "http://127.0.0.1:6060/debug/pprof",
		":6060":                        "http://127.0.0.1:6060/debug/pprof",
		"6060/pprof":                   "http://127.0.0.1:6060/pprof",
		"localhost:8080/pprof/":        "http://localhost:8080/pprof",
		"fd00:10::5:6060":              "http://[fd00:10::5]:6060/debug/pprof",
		"[::1]:6060":                   "http://[::1]:6060/debug/pprof",
		"https://api.example.com/":     "https://api.example.com/debug/pprof",
		"http://user:secret@host:1/":   "http://user:secret@host:1/debug/pprof",
		"http://h:1/debug/pprof/":      "http://h:1/debug/pprof",
		"http://h:1/debug/pprof/trace": "http://h:1/debug/pprof",
		"http://h:1/debug/pprof/goroutine?debug=2":       "http://h:1/debug/pprof",
		"http://h:1/my/pprof/goroutine?debug=1#fragment": "http://h:1/my/pprof",
		"http://h:1/goroutine":                           "http://h:1/debug/pprof",
		"http://h:1/goroutine/goroutine":                 "http://h:1/debug/pprof",
	} {
		u, err := ParseAddress(argument)
		if err != nil {
			t.Errorf("%s: %v", argument, err)
		} else if u.String() != want {
			t.Errorf("%s is %s, want %s", argument, u, want)
		}
	}
}

func TestInvalidAddress(t *testing.T) {
	for argument, want := range map[string]string{
		"":                       "missing host",
		"localhost":              "missing port",
		"99999":                  `invalid port "99999"`,
		"host:0":                 `invalid port "0"`,
		"host:99999":             `invalid port "99999"`,
		"ftp://host:1":           `scheme "ftp"`,
		"http://":                "missing host",
		"http://a b:1":           "host:port",
		"http://user:secret@h:x": "host:port",
	} {
		_, err := ParseAddress(argument)
		if !errors.Is(err, errAddress) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", argument, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error contains the password", argument)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, argument := range []string{"6060", "h:1", "https://u:p@h:1/debug/pprof/goroutine?debug=2", "::1:6060", "[::1]:1/x"} {
		f.Add(argument)
	}
	f.Fuzz(func(t *testing.T, argument string) {
		u, err := ParseAddress(argument)
		if err != nil {
			return
		}
		again, err := ParseAddress(u.String())
		if err != nil || again.String() != u.String() {
			t.Fatalf("%q is %v, which is %v, %v", argument, u, again, err)
		}
	})
}
