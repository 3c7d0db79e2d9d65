package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// address returns the address of a target. Since 127.0.0.0/8 is the loopback interface, one listener can serve all
// targets.
func address(target, port int) string {
	return fmt.Sprintf("127.1.%d.%d:%d", target>>8, target&255, port)
}

// targetAt returns the target of an address.
func targetAt(hostPort string) (int, error) {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		return 0, err
	}
	parts := strings.Split(host, ".")
	if len(parts) != 4 {
		return 0, fmt.Errorf("not the address of a target: %s", host)
	}
	high, err := strconv.Atoi(parts[2])
	if err != nil {
		return 0, err
	}
	low, err := strconv.Atoi(parts[3])
	return high<<8 | low, err
}

// serve writes its port to out, and serves all targets until the end of in.
func serve(in io.Reader, out io.Writer, interval time.Duration) error {
	recordings, err := record(goroutines)
	if err != nil {
		return err
	}
	pages := metricPages()
	began := time.Now()
	handler := http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		target, err := targetAt(request.Host)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r := recordings[target%services]
		now := min(int(time.Since(began)/interval), snapshots-1)
		body := map[string][]byte{
			"/debug/pprof/trace":        r.traces[now],
			"/debug/pprof/goroutine":    r.profiles[now],
			"/debug/pprof/threadcreate": r.threads,
			"/metrics":                  pages[target%services],
		}[request.URL.Path]
		if body == nil {
			http.NotFound(w, request)
			return
		}
		if request.URL.Path == "/metrics" {
			w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		}
		_, _ = w.Write(body) // the client may have disconnected
	})
	listener, err := listenOnLoopback()
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	defer func() { _ = server.Close() }()
	go func() {
		_, _ = io.Copy(io.Discard, in)
		_ = server.Close()
	}()
	if _, err := fmt.Fprintln(out, listener.Addr().(*net.TCPAddr).Port); err != nil {
		return err
	}
	if err := server.Serve(listener); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// listenOnLoopback listens at a free port of all addresses of the loopback interface only.
func listenOnLoopback() (net.Listener, error) {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) { failed = syscall.BindToDevice(int(fd), "lo") })
		if err != nil {
			return err
		}
		return os.NewSyscallError("bind to lo", failed)
	}}
	return config.Listen(context.Background(), "tcp4", "0.0.0.0:0")
}
