// Package workerpoolnotstopped shows a worker pool that outlives its jobs.
package workerpoolnotstopped

// workers is the number of pictures scaled concurrently.
const workers = 2

type poolLeaky struct {
	jobs    chan func()
	stopped chan struct{}
}

func newPoolLeaky() *poolLeaky {
	p := &poolLeaky{jobs: make(chan func()), stopped: make(chan struct{})}
	for range workers {
		go p.workLeaky()
	}
	return p
}

// Stop stops the workers.
func (p *poolLeaky) Stop() { close(p.stopped) }

func (p *poolLeaky) workLeaky() {
	for {
		select { // leaks here
		case job := <-p.jobs:
			job()
		case <-p.stopped:
			return
		}
	}
}

// ScaleLeaky scales the pictures of an upload concurrently and returns the first error.
//
// Mistake: it starts a pool for every upload, and does not stop it if a picture cannot be
// scaled.
func ScaleLeaky(pictures []string, scale func(string) error) error {
	pool := newPoolLeaky()
	errs := make(chan error, len(pictures))
	for _, picture := range pictures {
		pool.jobs <- func() { errs <- scale(picture) }
	}
	for range pictures {
		if err := <-errs; err != nil {
			return err
		}
	}
	pool.Stop()
	return nil
}
