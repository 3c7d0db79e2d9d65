package goroutinereceiver

import (
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/profile"
	"github.com/otel-goroutine/otel-goroutine/receiver/goroutinereceiver/internal/metadata"
)

// errPanic is a panic in our code, caught.
var errPanic = errors.New("internal error")

// reasonOf puts a failed scrape into one of the few reasons that a metric tells.
func reasonOf(err error) metadata.AttributeReason {
	var status *statusError
	var body *bodyError
	switch {
	case errors.Is(err, errPanic):
		return metadata.AttributeReasonInternal
	case isTimeout(err):
		return metadata.AttributeReasonTimeout
	case errors.As(err, &status):
		return reasonOfStatus(status.code)
	case errors.Is(err, errBodyTooLarge), errors.Is(err, exectrace.ErrTooLarge), errors.Is(err, profile.ErrTooLarge):
		return metadata.AttributeReasonTooLarge
	case errors.Is(err, exectrace.ErrVersion):
		return metadata.AttributeReasonUnsupportedVersion
	case errors.Is(err, exectrace.ErrNotTrace), errors.Is(err, profile.ErrNotProfile), errors.Is(err, profile.ErrOtherProfile):
		return metadata.AttributeReasonNotPprof
	case errors.As(err, &body), errors.Is(err, exectrace.ErrMalformed), errors.Is(err, profile.ErrMalformed):
		return metadata.AttributeReasonMalformed
	default:
		return metadata.AttributeReasonConnection
	}
}

func reasonOfStatus(code int) metadata.AttributeReason {
	switch code {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return metadata.AttributeReasonUnauthorized
	default:
		return metadata.AttributeReasonHTTPStatus
	}
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout()
}
