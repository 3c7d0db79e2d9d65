package goroutinereceiver

import (
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/profile"
)

// reason is why a scrape failed, the value of the attribute of that name.
type reason string

const (
	reasonConnection  reason = "connection"
	reasonTimeout     reason = "timeout"
	reasonUnauth      reason = "unauthorized"
	reasonHTTPStatus  reason = "http_status"
	reasonNotPprof    reason = "not_pprof"
	reasonUnsupported reason = "unsupported_version"
	reasonTooLarge    reason = "too_large"
	reasonMalformed   reason = "malformed"
	reasonInternal    reason = "internal"
)

// errPanic is a panic in our code, caught.
var errPanic = errors.New("internal error")

// reasonOf puts a failed scrape into one of the few reasons that a metric tells.
func reasonOf(err error) reason {
	var status *statusError
	var body *bodyError
	switch {
	case errors.Is(err, errPanic):
		return reasonInternal
	case isTimeout(err):
		return reasonTimeout
	case errors.As(err, &status):
		return reasonOfStatus(status.code)
	case errors.Is(err, errBodyTooLarge), errors.Is(err, exectrace.ErrTooLarge), errors.Is(err, profile.ErrTooLarge):
		return reasonTooLarge
	case errors.Is(err, exectrace.ErrVersion):
		return reasonUnsupported
	case errors.Is(err, exectrace.ErrNotTrace), errors.Is(err, profile.ErrNotProfile), errors.Is(err, profile.ErrOtherProfile):
		return reasonNotPprof
	case errors.As(err, &body), errors.Is(err, exectrace.ErrMalformed), errors.Is(err, profile.ErrMalformed):
		return reasonMalformed
	default:
		return reasonConnection
	}
}

func reasonOfStatus(code int) reason {
	switch code {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return reasonUnauth
	default:
		return reasonHTTPStatus
	}
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout()
}
