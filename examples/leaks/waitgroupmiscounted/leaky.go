// Package waitgroupmiscounted shows a WaitGroup whose counter never reaches zero.
package waitgroupmiscounted

import (
	"sync"
	"sync/atomic"
)

// HealthyLeaky returns the number of healthy hosts.
//
// Mistake: for a host that is not healthy, Done is not called. The counter never reaches
// zero, and Wait blocks forever.
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
