// Package target gets goroutines from processes that serve net/http/pprof.
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

// defaultPath is where net/http/pprof registers itself.
const defaultPath = "/debug/pprof"

var errAddress = errors.New("want host:port, a local port, or a URL such as http://10.0.0.5:6060/debug/pprof")

// profileNames are the last elements of paths that users copy from a browser.
var profileNames = []string{"goroutine", "trace", "heap", "profile", "threadcreate", "cmdline"}

// ParseAddress returns the URL of the pprof index for an argument.
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
	case err != nil: // it contains the URL, which may contain a password
		return nil, fmt.Errorf("invalid address: %w", errAddress)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("unsupported scheme %q: %w", u.Scheme, errAddress)
	case u.Hostname() == "":
		return nil, fmt.Errorf("missing host: %w", errAddress)
	case !found && u.Port() == "" && strings.Trim(u.Host, "0123456789") == "":
		return nil, fmt.Errorf("invalid port %q: %w", u.Host, errAddress)
	case !found && u.Port() == "":
		return nil, fmt.Errorf("missing port: %w", errAddress)
	case !validPort(u.Port()):
		return nil, fmt.Errorf("invalid port %q: %w", u.Port(), errAddress)
	}
	u.RawQuery, u.Fragment, u.RawFragment, u.RawPath = "", "", "", ""
	u.Path = strings.TrimRight(u.Path, "/")
	for slices.Contains(profileNames, path.Base(u.Path)) {
		u.Path = path.Dir(u.Path)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = defaultPath
	}
	return u, nil
}

// withHost adds the loopback address to a port without host.
func withHost(address string) string {
	if strings.HasPrefix(address, ":") && !strings.HasPrefix(address, "::") {
		return "127.0.0.1" + address
	}
	if port, _, _ := strings.Cut(address, "/"); port != "" && validPort(port) {
		return "127.0.0.1:" + address
	}
	return address
}

// bracketed adds missing brackets to an IPv6 address.
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

// Name returns the name of a target: host, port, and the path if it is not the default.
func Name(u *url.URL) string {
	if u.Path == defaultPath {
		return u.Host
	}
	return u.Host + u.Path
}

// withoutPassword returns an argument without user name and password.
func withoutPassword(argument string) string {
	if at := strings.LastIndexByte(argument, '@'); at >= 0 {
		scheme, _, found := strings.Cut(argument[:at], "://")
		if !found {
			return argument[at+1:]
		}
		return scheme + "://" + argument[at+1:]
	}
	return argument
}
