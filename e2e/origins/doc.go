// Package origins holds services that leak, and what a trace of a second must tell of each
// leak: who starts its goroutines, what should have woken them, and what mistake it is. It
// needs no collector. `make e2e` runs it for plain builds, `make origins-check` for all.
package origins
