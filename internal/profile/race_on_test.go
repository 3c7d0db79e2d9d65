//go:build race

package profile

// raceDetector reports whether tests run with the race detector, some ten times slower.
const raceDetector = true
