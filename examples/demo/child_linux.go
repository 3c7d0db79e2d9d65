package main

import "syscall"

// bound ties a child to this process. Its own process group keeps Ctrl-C from it,
// which a terminal sends to a whole group: the demonstration ends its children
// itself, one after the other. Should it be killed, the kernel kills them.
func bound() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
