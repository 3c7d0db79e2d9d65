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

// reach is where the receiver may connect to: anywhere but link-local addresses
// (169.254.0.0/16 and fe80::/10, RFC 3927 and RFC 4291), unless the host is allowed
// by the name, or the address, that its endpoint has. There the metadata services of
// clouds listen, and give credentials to whoever asks.
type reach struct{ linkLocal []string }

// errLinkLocal is an address that is not connected to.
type errLinkLocal struct{ host, address string }

func (e *errLinkLocal) Error() string {
	return fmt.Sprintf(`%s is the link-local address %s: to connect to it, name the host in "allow_link_local"`, e.host, e.address)
}

// check returns an error if address is link-local and host not allowed. What is no
// address is not checked.
func (r reach) check(host, address string) error {
	ip, err := netip.ParseAddr(address)
	if err != nil || !ip.Unmap().IsLinkLocalUnicast() || r.allows(host) {
		return nil
	}
	return &errLinkLocal{host: host, address: address}
}

func (r reach) allows(host string) bool {
	return slices.ContainsFunc(r.linkLocal, func(allowed string) bool { return sameHost(allowed, host) })
}

// sameHost compares names as the domain name system does.
func sameHost(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}

// dial connects as net/http does by default, but for what is out of reach: each
// address that the name has is checked before it is connected to.
func (r reach) dial(ctx context.Context, network, hostPort string) (net.Conn, error) {
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
			return r.check(host, address)
		},
	}
	return dialer.DialContext(ctx, network, hostPort)
}
