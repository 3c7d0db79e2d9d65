// Package workerpoolnotstopped shows a pool of workers that outlives its work.
package workerpoolnotstopped

// workers is how many pictures are scaled at a time.
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

// Stop ends the workers.
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

// ScaleLeaky scales the pictures of an upload, some at a time, and returns the
// first error.
//
// Mistake: a pool is made forevery upload, and where a picture cannot be
// scaled it is never stopped.
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
