package workerpoolnotstopped

import "golang.org/x/sync/errgroup"

// ScaleRepaired is ScaleLeaky without the leak.
//
// Fix: an errgroup in place of a pool. It limits the number of goroutines, each of which
// ends with its picture, and Wait waits for all. (A pool that is kept needs a deferred
// Stop where it is made.)
func ScaleRepaired(pictures []string, scale func(string) error) error {
	var group errgroup.Group
	group.SetLimit(workers)
	for _, picture := range pictures {
		group.Go(func() error { return scale(picture) })
	}
	return group.Wait()
}
