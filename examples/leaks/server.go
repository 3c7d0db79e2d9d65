package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// server is a running HTTP server.
type server struct {
	http   *http.Server
	served chan error
}

func serve(listener net.Listener, handler http.Handler) *server {
	s := &server{
		http:   &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second},
		served: make(chan error, 1),
	}
	go func() { s.served <- s.http.Serve(listener) }()
	return s
}

// close stops the server. Current requests have a second to complete.
func (s *server) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close()
	}
	if serveErr := <-s.served; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return err
}
