package goroutinereceiver

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"
)

// dialGuard refuses connections to link-local addresses (169.254.0.0/16 and fe80::/10, RFC 3927
// and RFC 4291): the metadata services of clouds listen there and give credentials to any client.
// Hosts in allowLinkLocal, names or addresses as in their endpoints, are exempt.
type dialGuard struct{ allowLinkLocal []string }

// linkLocalError is the error of a refused connection.
type linkLocalError struct{ host, address string }

func (e *linkLocalError) Error() string {
	return fmt.Sprintf(`%s is the link-local address %s: to connect to it, name the host in "allow_link_local"`, e.host, e.address)
}

// check returns an error if address is link-local and host is not allowed. If address is not an
// IP address, it returns nil.
func (g dialGuard) check(host, address string) error {
	ip, err := netip.ParseAddr(address)
	if err != nil || !ip.Unmap().IsLinkLocalUnicast() || g.allows(host) {
		return nil
	}
	return &linkLocalError{host: host, address: address}
}

func (g dialGuard) allows(host string) bool {
	return slices.ContainsFunc(g.allowLinkLocal, func(allowed string) bool { return sameHost(allowed, host) })
}

// sameHost compares host names as DNS does.
func sameHost(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}

// dial connects like the default dialer of net/http, but checks each address that the host
// resolves to before it connects.
func (g dialGuard) dial(ctx context.Context, network, hostPort string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{
		Timeout:   30 * time.Second,
		KeepAlive: 30 * time.Second,
		Control: func(_, resolved string, _ syscall.RawConn) error {
			address, _, err := net.SplitHostPort(resolved)
			if err != nil {
				return err
			}
			return g.check(host, address)
		},
	}
	return dialer.DialContext(ctx, network, hostPort)
}
