package main

import (
	"bufio"
	"fmt"
	"net"
	"strings"

	internalapp "internal/app"
	runtimeapp "runtime/app"

	"github.com/nats-io/nats.go"
)

// leakPaths leaks goroutines of modules with a dot in the last element of their path, or
// with a path that begins as those of the standard library do.
func leakPaths() {
	go internalapp.Wait()
	go runtimeapp.Wait()
	broker := get(net.Listen("tcp", "127.0.0.1:0"))
	go serveNATS(broker)
	_ = get(nats.Connect("nats://" + broker.Addr().String()))
}

// serveNATS answers one client for as long as it takes to connect.
func serveNATS(broker net.Listener) {
	conn := get(broker.Accept())
	_, _ = fmt.Fprint(conn, "INFO {\"max_payload\":1048576}\r\n")
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "PING") {
			_, _ = fmt.Fprint(conn, "PONG\r\n")
		}
	}
}
