// Package endpoint parses the address of a process's pprof index, and derives the identity of the
// process from it.
package endpoint

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
)

// DefaultPath is the path at which net/http/pprof registers itself.
const DefaultPath = "/debug/pprof"

var (
	errMissing  = errors.New(`"endpoint" is required`)
	errEndpoint = errors.New(`"endpoint" must be host:port or the URL of the pprof index, such as http://10.0.0.5:6060/debug/pprof`)
)

// Parse returns the URL of the pprof index, the parent of trace and goroutine.
//
//	10.0.0.5:6060                   ->  http://10.0.0.5:6060/debug/pprof
//	fd00:10::5:6060                 ->  http://[fd00:10::5]:6060/debug/pprof
//	https://api.example.com/        ->  https://api.example.com/debug/pprof
//	http://localhost:8080/pprof/    ->  http://localhost:8080/pprof
func Parse(endpoint string) (*url.URL, error) {
	if endpoint == "" {
		return nil, errMissing
	}
	scheme, rest, found := strings.Cut(endpoint, "://")
	if !found {
		scheme, rest = "http", endpoint
	}
	u, err := url.Parse(scheme + "://" + bracketed(rest))
	if err != nil {
		// The error of url.Parse quotes the endpoint, which may contain a password.
		return nil, errEndpoint
	}
	switch {
	case u.User != nil:
		return nil, fmt.Errorf(`%w, without user and password; "headers" and "auth" are for these`, errEndpoint)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%w; the scheme is %q", errEndpoint, u.Scheme)
	case u.Hostname() == "":
		return nil, fmt.Errorf("%w; the host is missing", errEndpoint)
	case !found && u.Port() == "":
		return nil, fmt.Errorf("%w; the port is missing", errEndpoint)
	case !validPort(u.Port()):
		return nil, fmt.Errorf("%w; the port is %q", errEndpoint, u.Port())
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%w, without a query", errEndpoint)
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), strings.TrimRight(u.RawPath, "/")
	if u.Path == "" {
		u.Path = DefaultPath
	}
	if last := path.Base(u.Path); last == "goroutine" || last == "trace" {
		return nil, fmt.Errorf("%w, without the name of a profile (%s)", errEndpoint, last)
	}
	return u, nil
}

// bracketed adds missing brackets around an IPv6 address. Pod discovery joins address and port by
// a colon: fd00:10::5:6060 is port 6060 of fd00:10::5.
func bracketed(hostPath string) string {
	host, path, _ := strings.Cut(hostPath, "/")
	if path != "" {
		path = "/" + path
	}
	last := strings.LastIndexByte(host, ':')
	if last < 0 {
		return hostPath
	}
	if ip, err := netip.ParseAddr(host[:last]); err != nil || !ip.Is6() {
		return hostPath
	}
	return "[" + host[:last] + "]" + host[last:] + path
}

func validPort(port string) bool {
	if port == "" {
		return true
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// HostAndPort returns the host and the port of a URL.
func HostAndPort(u *url.URL) (host string, port int64) {
	switch {
	case u.Port() != "":
		port, _ = strconv.ParseInt(u.Port(), 10, 64) // checked by validPort
	case u.Scheme == "https":
		port = 443
	default:
		port = 80
	}
	return u.Hostname(), port
}

// Instance returns the name of the process: host:port, and the path unless it is DefaultPath,
// since a host may serve several processes through a proxy.
func Instance(u *url.URL) string {
	host, port := HostAndPort(u)
	name := net.JoinHostPort(host, strconv.FormatInt(port, 10))
	if u.Path != DefaultPath {
		name += u.Path
	}
	return name
}

// Identity returns the identity of the process. It is like Instance, but the same for all
// spellings of an address.
func Identity(u *url.URL) string {
	host, port := HostAndPort(u)
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.String()
	}
	name := net.JoinHostPort(strings.ToLower(strings.TrimSuffix(host, ".")), strconv.FormatInt(port, 10))
	if u.Path != DefaultPath {
		name += u.Path
	}
	return name
}
