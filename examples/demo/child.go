package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// patience is how long a child may take to end after SIGTERM, before SIGKILL. The
// collector drains its pipelines meanwhile, which here takes a moment.
const patience = 5 * time.Second

// child is a process that the demonstration has started and will end.
type child struct {
	name   string
	cmd    *exec.Cmd
	output *lastLines
	cancel context.CancelFunc
	// ended is closed when the process is gone; err says how.
	ended chan struct{}
	err   error
}

// startChild starts a program. The caller must stop it. What it writes is kept
// for failures: it would only disturb the table.
//
// On Linux the child also ends when this process does, however that ends.
func startChild(name, program string, args, env []string) (*child, error) {
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, args...)
	c := &child{name: name, cmd: cmd, output: &lastLines{}, cancel: cancel, ended: make(chan struct{})}
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = c.output, c.output
	cmd.SysProcAttr = bound()
	cmd.Cancel = c.terminate
	cmd.WaitDelay = patience
	started := make(chan error, 1)
	go c.run(started)
	if err := <-started; err != nil {
		cancel()
		return nil, fmt.Errorf("cannot start %s: %w", name, err)
	}
	return c, nil
}

// run starts the process and waits for it on one thread: to the kernel the thread
// is the parent, and with it the child would end.
func (c *child) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := c.cmd.Start()
	started <- err
	if err == nil {
		c.err = c.cmd.Wait()
		close(c.ended)
	}
}

// terminate asks the process to end; where it cannot be asked, it is killed.
func (c *child) terminate() error {
	err := c.cmd.Process.Signal(syscall.SIGTERM)
	if err == nil || errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return c.cmd.Process.Kill()
}

// stop ends the process and returns when it is gone.
func (c *child) stop() {
	c.cancel()
	<-c.ended
}

// gone tells whether the process has ended.
func (c *child) gone() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// death describes how the process ended by itself. It must have ended.
func (c *child) death() error {
	how := "with status 0"
	if c.err != nil {
		how = c.err.Error()
	}
	return fmt.Errorf("%s has ended by itself (%s)%s", c.name, how, c.lastWords())
}

// lastWords returns what the process wrote last, as the rest of a message.
func (c *child) lastWords() string {
	words := c.output.String()
	if words == "" {
		return "; it wrote nothing"
	}
	return "; the last that it wrote:\n" + words
}
