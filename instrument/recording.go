package instrument

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime/trace"
	"sync"
	"time"
)

// recording is an execution trace that is read while it is being recorded. The goroutine of
// runtime/trace writes it. Everything else runs in the goroutine that reads it, so that no other
// goroutine has to be started, which would be in the trace.
type recording struct {
	ctx     context.Context // io.Reader does not take one
	maxSize int
	timer   *time.Timer   // ends the trace
	arrived chan struct{} // receives after a write
	stopped bool
	waited  time.Duration // for data

	mu         sync.Mutex
	unread     bytes.Buffer
	size       int // bytes written
	overflowed bool
}

// errTraceTooLarge is returned by Read if a trace exceeds its size.
var errTraceTooLarge = errors.New("the execution trace is larger than WithOriginsMaxSize allows")

// startRecording starts a trace that ends after d, when ctx is done, or when it exceeds maxSize
// bytes. The caller must stop it.
func startRecording(ctx context.Context, d time.Duration, maxSize int) (*recording, error) {
	r := &recording{ctx: ctx, maxSize: maxSize, arrived: make(chan struct{}, 1)}
	if err := startTrace(r); err != nil {
		return nil, err
	}
	r.timer = time.NewTimer(d)
	return r, nil
}

// Write is called by runtime/trace. It never fails, since runtime/trace ignores errors, and never
// blocks, since stop waits for it.
func (r *recording) Write(p []byte) (int, error) {
	r.mu.Lock()
	if r.overflowed = r.overflowed || r.size+len(p) > r.maxSize; !r.overflowed {
		r.size += len(p)
		r.unread.Write(p) // never fails
	}
	r.mu.Unlock()
	select {
	case r.arrived <- struct{}{}:
	default: // already signalled
	}
	return len(p), nil
}

// Read reads the trace as it is written. It returns io.EOF at its end.
func (r *recording) Read(p []byte) (int, error) {
	for {
		n, overflowed := r.readUnread(p)
		if overflowed {
			r.stop()
		}
		switch {
		case n > 0 || len(p) == 0:
			return n, nil
		case overflowed:
			return 0, errTraceTooLarge
		case r.ctx.Err() != nil:
			return 0, r.ctx.Err()
		case r.stopped:
			return 0, io.EOF
		}
		r.wait()
	}
}

func (r *recording) readUnread(p []byte) (n int, overflowed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, _ = r.unread.Read(p) // io.EOF if it is empty
	return n, r.overflowed
}

// wait waits until there is more to read, and stops the trace after its duration.
func (r *recording) wait() {
	began := time.Now()
	select {
	case <-r.arrived:
	case <-r.timer.C:
		r.stop()
	case <-r.ctx.Done():
		r.stop()
	}
	r.waited += time.Since(began)
}

// stop ends the trace, and returns when all of it has been written. It is idempotent.
func (r *recording) stop() {
	if r.stopped {
		return
	}
	r.stopped = true
	r.timer.Stop()
	trace.Stop()
}

// written returns the number of bytes written.
func (r *recording) written() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.size
}
