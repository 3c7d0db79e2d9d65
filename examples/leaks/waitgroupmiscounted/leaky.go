// Package waitgroupmiscounted shows a WaitGroup that waits for one more than there
// are.
package waitgroupmiscounted

import (
	"sync"
	"sync/atomic"
)

// HealthyLeaky returns how many of the hosts are well.
//
// Mistake: where a host is not well, Done is not reached. The count never
// gets to zero, and Wait waits forever.
func HealthyLeaky(hosts []string, check func(string) error) int {
	var healthy atomic.Int64
	var checks sync.WaitGroup
	checks.Add(len(hosts))
	for _, host := range hosts {
		go func() {
			if check(host) != nil {
				return
			}
			healthy.Add(1)
			checks.Done()
		}()
	}
	checks.Wait() // leaks here
	return int(healthy.Load())
}
