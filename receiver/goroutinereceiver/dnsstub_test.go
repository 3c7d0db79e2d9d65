package goroutinereceiver

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"
)

// dnsStub is a name server on the loopback interface.
type dnsStub struct {
	mu        sync.Mutex
	addresses map[string][]netip.Addr
	services  map[string][]uint16
	fail      atomic.Bool // respond with SERVFAIL
}

// startDNSStub makes the default resolver return these addresses until the test ends.
func startDNSStub(t *testing.T, addresses map[string][]string) *dnsStub {
	t.Helper()
	z := &dnsStub{addresses: make(map[string][]netip.Addr), services: make(map[string][]uint16)}
	for name, all := range addresses {
		z.set(name, all...)
	}
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	var served sync.WaitGroup
	served.Go(func() {
		question := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(question)
			if err != nil {
				return
			}
			if response, err := z.respond(question[:n]); assert.NoError(t, err) {
				_, _ = server.WriteTo(response, from)
			}
		}
	})
	before := net.DefaultResolver
	// A canceled query continues for a moment. It must not read the variable.
	dialer := &net.Dialer{Resolver: before}
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, "udp", server.LocalAddr().String())
	}}
	t.Cleanup(func() {
		net.DefaultResolver = before
		assert.NoError(t, server.Close())
		served.Wait()
	})
	return z
}

// set sets the addresses of a name.
func (z *dnsStub) set(name string, addresses ...string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.addresses[name] = nil
	for _, address := range addresses {
		z.addresses[name] = append(z.addresses[name], netip.MustParseAddr(address))
	}
}

// setService sets the ports of a service, each at its own host.
func (z *dnsStub) setService(name string, ports ...uint16) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.services[name] = ports
}

func (z *dnsStub) respond(question []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil {
		return nil, err
	}
	m.Response, m.Authoritative = true, true
	m.Additionals = nil
	if z.fail.Load() {
		m.RCode = dnsmessage.RCodeServerFailure
		return m.Pack()
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, q := range m.Questions {
		for _, body := range z.records(q) {
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1}, Body: body})
		}
	}
	return m.Pack()
}

func (z *dnsStub) records(q dnsmessage.Question) (all []dnsmessage.ResourceBody) {
	for _, address := range z.addresses[q.Name.String()] {
		switch {
		case q.Type == dnsmessage.TypeA && address.Is4():
			all = append(all, &dnsmessage.AResource{A: address.As4()})
		case q.Type == dnsmessage.TypeAAAA && address.Is6():
			all = append(all, &dnsmessage.AAAAResource{AAAA: address.As16()})
		}
	}
	if q.Type == dnsmessage.TypeSRV {
		for _, port := range z.services[q.Name.String()] {
			host := dnsmessage.MustNewName(fmt.Sprintf("p%d.test.", port))
			all = append(all, &dnsmessage.SRVResource{Port: port, Target: host})
		}
	}
	return all
}
