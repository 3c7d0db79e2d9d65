package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"

	"golang.org/x/net/http2"
	"golang.org/x/net/ipv4"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"
	"golang.org/x/sys/unix"
)

// leakExtended leaks goroutines that wait in packages of golang.org/x.
func leakExtended() {
	go acquire()
	leakFlights()
	leakErrgroup()
	go poll()
	go receivePackets()
	go talkHTTP2()
}

func acquire() {
	s := semaphore.NewWeighted(1)
	must(s.Acquire(context.Background(), 1))
	must(s.Acquire(context.Background(), 1))
}

func leakFlights() {
	flights := new(singleflight.Group)
	flights.DoChan("key", fly)
	go joinFlight(flights)
}

func fly() (any, error) { return <-never, nil }

// joinFlight waits for the first flight, as they have one key.
func joinFlight(flights *singleflight.Group) {
	_, err, _ := flights.Do("key", fly)
	must(err)
}

func leakErrgroup() {
	group := new(errgroup.Group)
	group.SetLimit(2)
	group.Go(work)
	group.TryGo(work)
	go exceedLimit(group)
	go waitForGroup(group)
	go group.Wait() // It does not return.
}

func work() error {
	<-never
	return nil
}

func exceedLimit(group *errgroup.Group) { group.Go(work) }

func waitForGroup(group *errgroup.Group) { must(group.Wait()) }

func poll() {
	fd := get(unix.EpollCreate1(0))
	_, _ = unix.EpollWait(fd, make([]unix.EpollEvent, 1), -1)
}

// receivePackets waits in golang.org/x/net/internal/socket.
func receivePackets() {
	conn := keep(get(net.ListenPacket("udp4", "127.0.0.1:0")))
	_, _ = ipv4.NewPacketConn(conn).ReadBatch([]ipv4.Message{{Buffers: [][]byte{make([]byte, 1)}}}, 0)
}

// talkHTTP2 is client and server of a request that is never answered.
func talkHTTP2() {
	listener := get(net.Listen("tcp", "127.0.0.1:0"))
	go serveHTTP2(listener)
	transport := &http2.Transport{
		AllowHTTP: true,
		DialTLSContext: func(ctx context.Context, network, address string, _ *tls.Config) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}
	request := get(http.NewRequest(http.MethodGet, "http://"+listener.Addr().String(), http.NoBody))
	_, _ = transport.RoundTrip(request)
}

func serveHTTP2(listener net.Listener) {
	conn := get(listener.Accept())
	new(http2.Server).ServeConn(conn, &http2.ServeConnOpts{Handler: http.HandlerFunc(hang)})
}

// hang is a handler that does not answer.
func hang(http.ResponseWriter, *http.Request) { <-never }
