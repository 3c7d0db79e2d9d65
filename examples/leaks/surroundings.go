package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"time"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/unboundedhandler"
)

// surroundings are what the service meets: its own server, and others that do not
// behave.
type surroundings struct {
	client *http.Client
	own    string // its own address
	bank   string // the address of a server that refuses
	// hung is connected to by the kernel, and nobody ever answers.
	hung net.Listener
	// viewer and otherViewer are connected, and do not read.
	viewer, otherViewer net.Conn
	// stamps is a file whose lock is never released.
	stamps *os.File

	servers []*server
	mailer  *unboundedhandler.MailerRepaired
}

// openSurroundings serves at listener, and opens all else on free ports. After an
// error the process ends, and closes what is open.
func openSurroundings(ctx context.Context, listener net.Listener) (s *surroundings, err error) {
	s = &surroundings{
		client: &http.Client{Timeout: 10 * time.Second},
		own:    "http://" + listener.Addr().String(),
	}
	if err := s.openHung(); err != nil {
		return nil, err
	}
	if s.stamps, err = openLocked(); err != nil {
		return nil, err
	}
	bank, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.bank = "http://" + bank.Addr().String()
	send := func(string) { pause(ctx, mailTime) }
	s.mailer = unboundedhandler.NewMailerRepaired(send)
	s.servers = []*server{
		serve(listener, ownHandler(unboundedhandler.NewMailerLeaky(send), s.mailer)),
		serve(bank, http.HandlerFunc(refuse)),
	}
	return s, nil
}

// openHung opens what nobody is at the other end of.
func (s *surroundings) openHung() (err error) {
	if s.hung, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	if s.viewer, err = net.Dial("tcp", s.hung.Addr().String()); err != nil {
		return err
	}
	s.otherViewer, err = net.Dial("tcp", s.hung.Addr().String())
	return err
}

// mailTime is how long it takes to send a mail: longer than until the next is to
// be sent.
const mailTime = 5 * time.Second

// pause waits for d, or until ctx is done.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func ownHandler(leaky, repaired http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.Handle("POST /leaky/mail", leaky)
	mux.Handle("POST /repaired/mail", repaired)
	return mux
}

// refuse answers and closes the connection, as a balancer does before a server that
// is down. Thus no goroutine of this server waits for a client that leaks.
func refuse(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Connection", "close")
	http.Error(w, "come back at nine", http.StatusServiceUnavailable)
}

// post makes a request of this service to itself.
func (s *surroundings) post(ctx context.Context, path string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.own+path, http.NoBody)
	if err != nil {
		return
	}
	if resp, err := s.client.Do(req); err == nil {
		_ = resp.Body.Close()
	}
}

// close ends all but what has leaked. No request may come in any more from the
// functions that are repaired: their context has ended.
func (s *surroundings) close() error {
	var errs []error
	for _, server := range s.servers {
		errs = append(errs, server.close())
	}
	s.mailer.Close()
	return errors.Join(append(errs, s.hung.Close(), s.stamps.Close(), os.Remove(s.stamps.Name()))...)
}
