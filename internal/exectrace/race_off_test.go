//go:build !race

package exectrace

const raceDetector = false
