package main

import (
	"bufio"
	"context"
	"net"
	"time"
)

// mail has the addresses of two mail servers. Only the polite one greets its clients.
type mail struct{ polite, silent string }

func startMail(ctx context.Context) (*mail, error) {
	polite, err := listen(ctx, func(c net.Conn) {
		_, _ = c.Write([]byte("220 ready\n"))
		_ = c.Close()
	})
	if err != nil {
		return nil, err
	}
	var held []net.Conn
	silent, err := listen(ctx, func(c net.Conn) { held = append(held, c) })
	return &mail{polite, silent}, err
}

// listen accepts connections one by one until ctx is done.
func listen(ctx context.Context, welcome func(net.Conn)) (address string, err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	context.AfterFunc(ctx, func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			welcome(conn)
		}
	}()
	return listener.Addr().String(), nil
}

// greet leaks a goroutine that reads from a silent peer.
func (m *mail) greet(leaks bool) {
	address := m.polite
	if leaks {
		address = m.silent
	}
	go readGreeting(address) // own: connection
}

func readGreeting(address string) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_, _ = bufio.NewReader(conn).ReadString('\n') // waits: connection
}

// feed is polled for as long as it is open.
type feed struct{ open bool }

// followFeed leaks a goroutine that loops without an exit.
func followFeed(leaks bool) {
	go poll(&feed{open: leaks}) // own: loop
}

func poll(f *feed) { // waits: loop
	for f.open {
		pollOnce()
	}
}

// period is the duration of a poll. It is no divisor of a second, the interval of the scrapes.
const period = 370 * time.Millisecond

// pollOnce waits at three lines, for a third of the period each. All goroutines move from line to line at the
// same time, so that each line empties again and again, and only the count of their entry keeps growing.
func pollOnce() {
	time.Sleep(period - time.Duration(time.Now().UnixNano())%period)
	<-time.After(period / 3)
	var news chan struct{} // none ever comes
	select {
	case <-news:
	case <-time.After(period / 3):
	}
}
