// Package origins checks what an execution trace of about a second shows about each leak of two services: who
// starts the goroutines, what wakes them, and the class of the mistake. It needs no collector. `make e2e` runs
// it for plain builds, `make origins-check` for all.
package origins
