package workerpoolnotstopped

import "golang.org/x/sync/errgroup"

// ScaleRepaired is ScaleLeaky without the leak.
//
// Fix: no pool to be stopped, but a group that is waited for. errgroup
// bounds how many goroutines there are, and each ends with its picture. (A pool
// that is to be kept is stopped by defer, where it was made.)
func ScaleRepaired(pictures []string, scale func(string) error) error {
	var group errgroup.Group
	group.SetLimit(workers)
	for _, picture := range pictures {
		group.Go(func() error { return scale(picture) })
	}
	return group.Wait()
}
