//go:build race

package main

// raceDetector tells that tests run some ten times slower.
const raceDetector = true
