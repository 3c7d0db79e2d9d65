//go:build !linux

package main

import "syscall"

// bound leaves a child in the process group of this process, so that a Ctrl-C
// reaches it too: there is no other way to tie it.
func bound() *syscall.SysProcAttr { return nil }
