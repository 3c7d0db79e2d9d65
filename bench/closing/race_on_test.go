//go:build race

package main

// raceDetector reports whether the race detector is enabled, which makes the tests ten times slower.
const raceDetector = true
