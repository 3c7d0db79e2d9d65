package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// hijacked hijacks the connection, calls write, and closes the connection.
func hijacked(write func(net.Conn, *bufio.Writer)) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		connection, both, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err) // net/http supports it for HTTP/1
		}
		defer func() { _ = connection.Close() }() // it may be reset already
		write(connection, both.Writer)
		_ = both.Flush() // the client may have disconnected
	}
}

// headers serves 10 MiB of headers.
var headers = hijacked(func(_ net.Conn, w *bufio.Writer) {
	_, _ = w.WriteString("HTTP/1.1 200 OK\r\n")
	for range 10 << 10 {
		_, _ = w.WriteString("X-Long: " + strings.Repeat("x", 1<<10) + "\r\n")
	}
	_, _ = w.WriteString("Content-Length: 0\r\n\r\n")
})

// endless serves start, and then part repeatedly without end, chunked.
func endless(start, part []byte) http.HandlerFunc {
	parts := bytes.Repeat(part, 1+(64<<10)/len(part))
	return func(w http.ResponseWriter, _ *http.Request) {
		_, err := w.Write(start)
		for err == nil { // until the client disconnects
			_, err = w.Write(parts)
		}
	}
}

// drip serves a valid profile, one byte per second.
func drip(w http.ResponseWriter, request *http.Request) {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for _, b := range goroutines() {
		_, _ = w.Write([]byte{b})
		if err := http.NewResponseController(w).Flush(); err != nil {
			return
		}
		select {
		case <-second.C:
		case <-request.Context().Done():
			return
		}
	}
}

// length serves a valid profile with a wrong Content-Length.
func length(n int64) http.HandlerFunc {
	return hijacked(func(_ net.Conn, w *bufio.Writer) {
		fmt.Fprintf(w, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", n)
		_, _ = w.Write(goroutines())
	})
}

// reset resets the connection in the middle of the body.
var reset = hijacked(func(connection net.Conn, w *bufio.Writer) {
	whole := goroutines()
	fmt.Fprintf(w, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(whole))
	_, _ = w.Write(whole[:len(whole)/2])
	_ = w.Flush()
	_ = connection.(*net.TCPConn).SetLinger(0)
})

// slow responds correctly after 12 s.
func slow(w http.ResponseWriter, request *http.Request) {
	select {
	case <-time.After(12 * time.Second):
		sound(w, request)
	case <-request.Context().Done():
	}
}

// redirect redirects to another server.
func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, request *http.Request) {
		http.Redirect(w, request, to+"/elsewhere"+request.URL.Path, http.StatusFound)
	}
}
