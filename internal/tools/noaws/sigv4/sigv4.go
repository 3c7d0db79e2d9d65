// Package sigv4 replaces Prometheus' package for signed requests to AWS, which imports the AWS SDK.
// The exporters for Prometheus import a configuration that refers to it, and do not use it.
package sigv4

import (
	"errors"
	"net/http"
)

var errAbsent = errors.New("sigv4 is not part of this distribution")

// SigV4Config is an empty configuration.
type SigV4Config struct{}

// NewSigV4RoundTripper returns an error.
func NewSigV4RoundTripper(*SigV4Config, http.RoundTripper) (http.RoundTripper, error) {
	return nil, errAbsent
}
