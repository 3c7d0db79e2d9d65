package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"time"
)

// leakHTTP leaks goroutines of package net/http, of clients and of servers.
func leakHTTP() {
	leakIdle()
	leakServers()
	leakSecure()
	leakProxies()
	go shakeHands()
	go dialMute()
}

// leakIdle leaves connections open: one without a request, one idle after its first, one
// with a body that nobody reads, one with a handler that does not answer.
func leakIdle() {
	server := httptest.NewServer(http.HandlerFunc(answer))
	keep(get(net.Dial("tcp", server.Listener.Addr().String())))
	ask(&http.Client{Transport: new(http.Transport)}, server.URL)
	client := server.Client()
	keep(get(client.Get(server.URL + "/body")))
	go ask(client, server.URL+"/hang")
}

func answer(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/hang":
		<-never
	case "/body":
		_, _ = fmt.Fprint(w, "a part")
		_ = http.NewResponseController(w).Flush()
		hang(w, r)
	}
}

func ask(client *http.Client, address string) {
	response := get(client.Get(address))
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
}

// leakServers starts servers in goroutines that have no function of this program.
func leakServers() {
	server := &http.Server{Handler: http.TimeoutHandler(http.HandlerFunc(hang), time.Hour, "")}
	listener := get(net.Listen("tcp", "127.0.0.1:0"))
	go server.Serve(listener) // It is never closed.
	go ask(new(http.Client), "http://"+listener.Addr().String())
	go http.Serve(get(net.Listen("tcp", "127.0.0.1:0")), nil)       // It is never closed.
	go http.ListenAndServe("127.0.0.1:0", http.HandlerFunc(answer)) // It is never closed.
}

// leakSecure leaves a connection of HTTP/2 idle, and one with a request.
func leakSecure() {
	server := httptest.NewUnstartedServer(http.HandlerFunc(answer))
	server.EnableHTTP2 = true
	server.StartTLS()
	ask(server.Client(), server.URL)
	go ask(server.Client(), server.URL+"/hang")
}

// leakProxies has a proxy wait for its backend: for the answer, for the rest of a body,
// and for what comes after the protocols were switched.
func leakProxies() {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/switch" {
			answer(w, r)
			return
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		must(err)
		keep(conn)
		_, _ = fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: none\r\n\r\n")
	}))
	proxy := httptest.NewServer(httputil.NewSingleHostReverseProxy(get(url.Parse(backend.URL))))
	go ask(proxy.Client(), proxy.URL+"/hang")
	keep(get(proxy.Client().Get(proxy.URL + "/body")))
	switchProtocols(proxy.Listener.Addr().String())
}

func switchProtocols(address string) {
	conn := keep(get(net.Dial("tcp", address)))
	_, _ = fmt.Fprint(conn, "GET /switch HTTP/1.1\r\nHost: proxy\r\nConnection: Upgrade\r\nUpgrade: none\r\n\r\n")
	_ = get(bufio.NewReader(conn).ReadString('\n'))
}

// mute returns the address of a server that accepts connections and says nothing.
func mute() string {
	return keep(get(net.Listen("tcp", "127.0.0.1:0"))).Addr().String()
}

func shakeHands() {
	transport := &http.Transport{TLSClientConfig: &tls.Config{}} // It never gets that far.
	_, _ = transport.RoundTrip(get(http.NewRequest(http.MethodGet, "https://"+mute(), http.NoBody)))
}

// dialMute is a client of a proxy that does not answer its CONNECT.
func dialMute() {
	proxy := get(url.Parse("http://" + mute()))
	transport := &http.Transport{Proxy: http.ProxyURL(proxy)}
	_, _ = transport.RoundTrip(get(http.NewRequestWithContext(context.Background(), http.MethodGet, "https://name.invalid", http.NoBody)))
}
