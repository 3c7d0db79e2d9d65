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

// environment is what the functions call: the service's own server, failing servers, and a locked file.
type environment struct {
	client *http.Client
	own    string // base URL of the service
	bank   string // URL of a server that refuses requests
	// hung never accepts connections. The kernel establishes them.
	hung net.Listener
	// viewer and otherViewer are connections whose peers do not read.
	viewer, otherViewer net.Conn
	// stamps is a file whose lock is never released.
	stamps *os.File

	servers []*server
	mailer  *unboundedhandler.MailerRepaired
}

// openEnvironment serves the service on listener, and the other servers on free ports. It does not
// close them after an error, since the process exits.
func openEnvironment(ctx context.Context, listener net.Listener) (e *environment, err error) {
	e = &environment{
		client: &http.Client{Timeout: 10 * time.Second},
		own:    "http://" + listener.Addr().String(),
	}
	if err := e.openHung(); err != nil {
		return nil, err
	}
	if e.stamps, err = openLocked(); err != nil {
		return nil, err
	}
	bank, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e.bank = "http://" + bank.Addr().String()
	send := func(string) { pause(ctx, mailTime) }
	e.mailer = unboundedhandler.NewMailerRepaired(send)
	e.servers = []*server{
		serve(listener, ownHandler(unboundedhandler.NewMailerLeaky(send), e.mailer)),
		serve(bank, http.HandlerFunc(refuse)),
	}
	return e, nil
}

// openHung opens connections to a server that never accepts them.
func (e *environment) openHung() (err error) {
	if e.hung, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	if e.viewer, err = net.Dial("tcp", e.hung.Addr().String()); err != nil {
		return err
	}
	e.otherViewer, err = net.Dial("tcp", e.hung.Addr().String())
	return err
}

// mailTime is how long it takes to send a mail: longer than the time between two mails.
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

// refuse responds with 503 and closes the connection, like a load balancer without backends. So no
// goroutine of this server waits for a leaky client.
func refuse(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Connection", "close")
	http.Error(w, "come back at nine", http.StatusServiceUnavailable)
}

// post sends a request to the service itself.
func (e *environment) post(ctx context.Context, path string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.own+path, http.NoBody)
	if err != nil {
		return
	}
	if resp, err := e.client.Do(req); err == nil {
		_ = resp.Body.Close()
	}
}

// close closes everything that has not leaked. There must be no further requests from the repaired
// functions; the end of their context ensures that.
func (e *environment) close() error {
	var errs []error
	for _, server := range e.servers {
		errs = append(errs, server.close())
	}
	e.mailer.Close()
	return errors.Join(append(errs, e.hung.Close(), e.stamps.Close(), os.Remove(e.stamps.Name()))...)
}
