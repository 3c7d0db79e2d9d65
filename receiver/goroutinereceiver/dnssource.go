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

// Types of records.
const (
	recordA    = "A"
	recordAAAA = "AAAA"
	recordSRV  = "SRV"
)

// dnsTimeout bounds a query.
const dnsTimeout = 10 * time.Second

// dnsSource makes targets of the records of names.
type dnsSource struct {
	names []string
	of    string // the type of the records
	port  int
	reach reach
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

// lookUp returns host:port for each record of a name. A name without records has no targets,
// which is no error. An answer with a link-local address is refused as a whole: no name server
// that is right about a service gives one.
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
		if err := s.reach.check(host, host); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return records, nil
}

func (s *dnsSource) records(ctx context.Context, name string) (addresses []string, err error) {
	if s.of == recordSRV {
		_, records, err := net.DefaultResolver.LookupSRV(ctx, "", "", name)
		if len(records) == 0 {
			return nil, err
		}
		for _, r := range records { // err only says that records with invalid names are left out
			addresses = append(addresses, net.JoinHostPort(strings.TrimSuffix(r.Target, "."), strconv.Itoa(int(r.Port))))
		}
		return addresses, nil
	}
	network := "ip4"
	if s.of == recordAAAA {
		network = "ip6"
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, network, name)
	for _, ip := range found {
		addresses = append(addresses, net.JoinHostPort(ip.Unmap().String(), strconv.Itoa(s.port)))
	}
	return addresses, err
}
