package waitgroupmiscounted

import (
	"sync"
	"sync/atomic"
)

// HealthyRepaired is HealthyLeaky without the leak.
//
// Fix: use WaitGroup.Go, which counts correctly. (Before Go 1.25: Add(1) right before
// the go statement, and defer Done as the first line of the function.)
func HealthyRepaired(hosts []string, check func(string) error) int {
	var healthy atomic.Int64
	var checks sync.WaitGroup
	for _, host := range hosts {
		checks.Go(func() {
			if check(host) == nil {
				healthy.Add(1)
			}
		})
	}
	checks.Wait()
	return int(healthy.Load())
}
