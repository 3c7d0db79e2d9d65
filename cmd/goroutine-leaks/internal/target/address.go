// Package target asks a process for its goroutines: where it is, how it is reached, and what
// its answers mean.
package target

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

// index is where net/http/pprof registers itself.
const index = "/debug/pprof"

// errAddress is an argument that is no address.
var errAddress = errors.New("an address is host:port, a port of this machine, or a URL such as http://10.0.0.5:6060/debug/pprof")

// profiles are the last parts of paths that people copy from a browser.
var profiles = []string{"goroutine", "trace", "heap", "profile", "threadcreate", "cmdline"}

// ParseAddress returns the URL of the pprof index that an argument means.
//
//	10.0.0.5:6060                                      ->  http://10.0.0.5:6060/debug/pprof
//	6060, :6060                                        ->  http://127.0.0.1:6060/debug/pprof
//	fd00:10::5:6060                                    ->  http://[fd00:10::5]:6060/debug/pprof
//	https://api.example.com/                           ->  https://api.example.com/debug/pprof
//	http://localhost:8080/debug/pprof/goroutine?debug=1  ->  http://localhost:8080/debug/pprof
func ParseAddress(argument string) (*url.URL, error) {
	scheme, rest, found := strings.Cut(argument, "://")
	if !found {
		scheme, rest = "http", withHost(argument)
	}
	u, err := url.Parse(scheme + "://" + bracketed(rest))
	switch {
	case err != nil: // it quotes the URL, which may hold a password
		return nil, errAddress
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%w; the scheme is %q", errAddress, u.Scheme)
	case u.Hostname() == "":
		return nil, fmt.Errorf("%w; the host is missing", errAddress)
	case !found && u.Port() == "" && strings.Trim(u.Host, "0123456789") == "":
		return nil, fmt.Errorf("%w; no port is %q", errAddress, u.Host)
	case !found && u.Port() == "":
		return nil, fmt.Errorf("%w; the port is missing", errAddress)
	case !validPort(u.Port()):
		return nil, fmt.Errorf("%w; the port is %q", errAddress, u.Port())
	}
	u.RawQuery, u.Fragment, u.RawFragment, u.RawPath = "", "", "", ""
	u.Path = strings.TrimRight(u.Path, "/")
	if slices.Contains(profiles, path.Base(u.Path)) {
		u.Path = path.Dir(u.Path)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = index
	}
	return u, nil
}

// withHost puts this machine before a port that stands alone.
func withHost(address string) string {
	if strings.HasPrefix(address, ":") && !strings.HasPrefix(address, "::") {
		return "127.0.0.1" + address
	}
	if port, _, _ := strings.Cut(address, "/"); port != "" && validPort(port) {
		return "127.0.0.1:" + address
	}
	return address
}

// bracketed puts the brackets around an IPv6 address that were left out.
func bracketed(hostPath string) string {
	host, rest, _ := strings.Cut(hostPath, "/")
	if rest != "" {
		rest = "/" + rest
	}
	last := strings.LastIndexByte(host, ':')
	if last < 0 {
		return hostPath
	}
	if ip, err := netip.ParseAddr(host[:last]); err != nil || !ip.Is6() {
		return hostPath
	}
	return "[" + host[:last] + "]" + host[last:] + rest
}

func validPort(port string) bool {
	if port == "" {
		return true
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// Name is what a target is called: its host and port, and the path if it is not the usual
// one.
func Name(u *url.URL) string {
	if u.Path == index {
		return u.Host
	}
	return u.Host + u.Path
}
