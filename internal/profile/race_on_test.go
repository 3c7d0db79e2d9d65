//go:build race

package profile

// raceDetector tells that tests run some ten times slower.
const raceDetector = true
