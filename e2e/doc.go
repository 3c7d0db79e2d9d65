// Package e2e tests the built collector, bin/otelcol-goroutine. `make e2e` builds it and runs the
// tests.
package e2e
