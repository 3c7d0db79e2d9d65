// Package app is of a module whose path begins as that of packages of the standard library.
package app

// Wait waits for ever.
func Wait() { select {} }
