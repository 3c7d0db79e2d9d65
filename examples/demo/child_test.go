package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// actReporter connects to the test and writes a line, and then neither says nor
// does anything.
func actReporter() int {
	conn, err := net.Dial("tcp", os.Getenv(reportVariable))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Fprintln(conn, "here")
	_, _ = io.Copy(io.Discard, conn) // until the test hangs up
	return 0
}

// reports listens for a role that reports. The returned function waits for it, and
// returns a function that waits until it is gone.
func reports(t *testing.T) (address string, here func() (gone func())) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	deadline := time.Now().Add(20 * time.Second)
	_ = listener.(*net.TCPListener).SetDeadline(deadline)
	return listener.Addr().String(), func() func() {
		conn, err := listener.Accept()
		if err != nil {
			t.Fatal("the process did not report:", err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(deadline)
		if _, err := io.ReadFull(conn, make([]byte, len("here\n"))); err != nil {
			t.Fatal(err)
		}
		return func() {
			// A process that is gone closes or resets its connections.
			if _, err := io.Copy(io.Discard, conn); os.IsTimeout(err) {
				t.Error("the process is still there")
			}
		}
	}
}

func startRole(t *testing.T, role string, env ...string) *child {
	t.Helper()
	c, err := startChild("the "+role, os.Args[0], nil, append(env, roleVariable+"="+role))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.stop)
	return c
}

func TestStopEndsAChild(t *testing.T) {
	address, here := reports(t)
	c := startRole(t, "reporter", reportVariable+"="+address)
	gone := here()
	if c.gone() {
		t.Fatal("it has ended by itself")
	}
	begin := time.Now()
	c.stop()
	gone()
	if !c.gone() {
		t.Error("it is gone, and the child does not know")
	}
	if took := time.Since(begin); took >= patience {
		t.Errorf("SIGTERM took %v", took)
	}
}

func TestStopKillsWhatDoesNotEnd(t *testing.T) {
	address, here := reports(t)
	c := startRole(t, "stubborn", reportVariable+"="+address)
	gone := here()
	begin := time.Now()
	c.stop()
	gone()
	if took := time.Since(begin); took < patience || took > patience+5*time.Second {
		t.Errorf("took %v, not about %v", took, patience)
	}
}

func TestDeathShowsTheLastWords(t *testing.T) {
	// Without an address to report to it fails.
	c := startRole(t, "reporter", reportVariable+"=nowhere")
	<-c.ended
	text := c.death().Error()
	for _, want := range []string{"the reporter has ended by itself", "exit status 1", "\n  dial tcp"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %q", want, text)
		}
	}
}

func TestStartFailureNamesTheProgram(t *testing.T) {
	_, err := startChild("the service", "./no-such-program", nil, nil)
	if err == nil || !strings.Contains(err.Error(), "cannot start the service") || !strings.Contains(err.Error(), "no-such-program") {
		t.Errorf("got %v", err)
	}
}
