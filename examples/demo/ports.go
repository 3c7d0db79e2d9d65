package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

func (p port) address() string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.number))
}

// checkFree returns an error for each port that cannot be had. That a port is free
// now is no promise, but spares most users a log to read.
func checkFree(ports []port) error {
	var errs []error
	for _, p := range ports {
		listener, err := net.Listen("tcp", p.address())
		switch {
		case errors.Is(err, syscall.EADDRINUSE):
			errs = append(errs, fmt.Errorf("port %d (%s) is in use; set %s to another", p.number, p.variable, p.variable))
		case err != nil:
			errs = append(errs, fmt.Errorf("port %d (%s) cannot be used: %w; set %s to another", p.number, p.variable, err, p.variable))
		default:
			errs = append(errs, listener.Close())
		}
	}
	return errors.Join(errs...)
}
