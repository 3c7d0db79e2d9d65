//go:build race

package exectrace

// raceDetector tells that tests run some ten times slower.
const raceDetector = true
