package main

import "os"

// profileName returns the name of the profile to be written: that of the command
// line, or all goroutines. The leaked ones are written by
//
//	GOEXPERIMENT=goroutineleakprofile GOTOOLCHAIN=go1.26.8 go run -trimpath . goroutineleak > ../leaks-go1.26.gz
func profileName() string {
	if len(os.Args) > 1 {
		return os.Args[1]
	}
	return "goroutine"
}
