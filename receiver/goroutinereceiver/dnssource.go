package goroutinereceiver

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/targetlist"
)

// Record types.
const (
	recordA    = "A"
	recordAAAA = "AAAA"
	recordSRV  = "SRV"
)

// dnsTimeout is the timeout of a query.
const dnsTimeout = 10 * time.Second

// dnsSource has a target for each record of its names.
type dnsSource struct {
	names      []string
	recordType string
	port       int
	guard      dialGuard
}

func (*dnsSource) kind() string { return "dns" }

func (s *dnsSource) documents(ctx context.Context) iter.Seq2[document, error] {
	return func(yield func(document, error) bool) {
		for _, name := range s.names {
			addresses, err := s.lookUp(ctx, name)
			slices.Sort(addresses)
			text := []byte(strings.Join(addresses, "\n"))
			if !yield(document{name: name, text: text, format: targetlist.Lines}, err) {
				return
			}
		}
	}
}

// lookUp returns host:port for each record of a name. A name without records is not an error. If
// one of the addresses is link-local, all are refused: no correct response for a service has such
// an address.
func (s *dnsSource) lookUp(ctx context.Context, name string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, dnsTimeout)
	defer cancel()
	records, err := s.records(ctx, name)
	if notFound, ok := errors.AsType[*net.DNSError](err); ok && notFound.IsNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, address := range records {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		if err := s.guard.check(host, host); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return records, nil
}

func (s *dnsSource) records(ctx context.Context, name string) (addresses []string, err error) {
	if s.recordType == recordSRV {
		_, records, err := net.DefaultResolver.LookupSRV(ctx, "", "", name)
		if len(records) == 0 {
			return nil, err
		}
		for _, r := range records { // err only reports that records with invalid names are ignored
			addresses = append(addresses, net.JoinHostPort(strings.TrimSuffix(r.Target, "."), strconv.Itoa(int(r.Port))))
		}
		return addresses, nil
	}
	network := "ip4"
	if s.recordType == recordAAAA {
		network = "ip6"
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, network, name)
	for _, ip := range found {
		addresses = append(addresses, net.JoinHostPort(ip.Unmap().String(), strconv.Itoa(s.port)))
	}
	return addresses, err
}
