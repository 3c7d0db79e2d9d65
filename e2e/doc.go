// Package e2e holds the tests of the built collector, bin/otelcol-goroutine. They
// are run by `make e2e`, which builds it first.
package e2e
