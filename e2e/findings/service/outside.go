package main

import (
	"bufio"
	"context"
	"net"
	"time"
)

// mail is two mail servers: one greets who connects, the other never says a word.
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

// listen accepts connections until ctx is done, one after the other.
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

// greet leaks a connection whose peer never speaks.
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

// followFeed leaks a loop without an exit: some feeds are never closed.
func followFeed(leaks bool) {
	go poll(&feed{open: leaks}) // own: loop
}

func poll(f *feed) { // waits: loop
	for f.open {
		pollOnce()
	}
}

// period is that of a poll. No multiple of it is a second, the interval of the test's looks.
const period = 370 * time.Millisecond

// pollOnce sleeps until the next beat, and waits for the feed and for news a third of the period each.
// All goroutines go from one line to the next together, so that each line empties: their number rises
// in their entry alone.
func pollOnce() {
	time.Sleep(period - time.Duration(time.Now().UnixNano())%period)
	<-time.After(period / 3)
	var news chan struct{} // none ever comes
	select {
	case <-news:
	case <-time.After(period / 3):
	}
}
