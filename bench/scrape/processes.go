package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/otel-goroutine/otel-goroutine/bench/internal/meter"
)

// receive measures a plan with a server and a receiver in child processes. binary is the receiver; if empty, it is this
// program.
func (s suite) receive(progress io.Writer, binary string, plan meter.Plan) (f meter.Figures, err error) {
	self, err := os.Executable()
	if err != nil {
		return f, err
	}
	if binary == "" {
		binary = self
	}
	server, port, err := startServer(self, s.interval)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	folder, err := os.MkdirTemp("", "scrape")
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	plan.List = filepath.Join(folder, "targets.json")
	if err := writeList(plan.List, port, 0, plan.Targets); err != nil {
		return f, err
	}
	if plan.New > 0 {
		plan.Exchanged = filepath.Join(folder, "exchanged")
		if err := writeList(plan.Exchanged, port, plan.New, plan.Targets+plan.New); err != nil {
			return f, err
		}
	}
	text, err := json.Marshal(plan)
	if err != nil {
		return f, err
	}
	receiver := exec.Command(binary, receiving)
	receiver.Stdin, receiver.Stderr = bytes.NewReader(text), os.Stderr
	output, err := receiver.Output()
	if err != nil {
		return f, err
	}
	fmt.Fprintf(progress, "%s %s: %s", filepath.Base(binary), plan.Capture, output)
	return f, json.Unmarshal(output, &f)
}

// server is a process that serves targets.
type server struct {
	*exec.Cmd
	in io.Closer
}

// startServer starts a server, and returns it with its port when it is ready.
func startServer(binary string, interval time.Duration) (s server, port int, err error) {
	s = server{Cmd: exec.Command(binary, serving, interval.String())}
	s.Stderr = os.Stderr
	if s.in, err = s.StdinPipe(); err != nil {
		return s, 0, err
	}
	out, err := s.StdoutPipe()
	if err != nil {
		return s, 0, err
	}
	if err := s.Start(); err != nil {
		return s, 0, err
	}
	if _, err := fmt.Fscan(out, &port); err != nil {
		return s, 0, errors.Join(fmt.Errorf("the server printed no port: %w", err), s.stop())
	}
	return s, port, nil
}

func (s server) stop() error { return errors.Join(s.in.Close(), s.Wait()) }

// writeList writes a list of targets in the format of file_sd. It sets an old modification time, so that the receiver
// reads it immediately.
func writeList(file string, port, from, to int) error {
	type group struct {
		Targets []string          `json:"targets"`
		Labels  map[string]string `json:"labels"`
	}
	groups := make([]group, services)
	for i := range groups {
		groups[i].Targets = []string{}
		groups[i].Labels = map[string]string{"service_name": fmt.Sprintf("shop%03d", i)}
	}
	for i := from; i < to; i++ {
		of := &groups[i%services]
		of.Targets = append(of.Targets, address(i, port))
	}
	text, err := json.Marshal(groups)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return err
	}
	return os.Chtimes(file, time.Time{}, time.Now().Add(-time.Hour))
}
