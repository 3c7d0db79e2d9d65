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

// errPanic is a recovered panic.
var errPanic = errors.New("internal error")

// errorType returns the error.type of a failed scrape, as listed in metadata.yaml. Each is a
// time series, so there are few.
func errorType(err error) metadata.AttributeErrorType {
	var status *statusError
	var body *bodyError
	switch {
	case errors.Is(err, errPanic):
		return metadata.AttributeErrorTypeInternal
	case isTimeout(err):
		return metadata.AttributeErrorTypeTimeout
	case errors.As(err, &status):
		return errorTypeOfStatus(status.code)
	case errors.Is(err, errBodyTooLarge), errors.Is(err, errTraceTooLarge), errors.Is(err, exectrace.ErrTooLarge), errors.Is(err, profile.ErrTooLarge):
		return metadata.AttributeErrorTypeTooLarge
	case errors.Is(err, exectrace.ErrVersion):
		return metadata.AttributeErrorTypeUnsupportedVersion
	case errors.Is(err, exectrace.ErrNotTrace), errors.Is(err, profile.ErrNotProfile), errors.Is(err, profile.ErrOtherProfile):
		return metadata.AttributeErrorTypeNotPprof
	case errors.As(err, &body), errors.Is(err, exectrace.ErrMalformed), errors.Is(err, profile.ErrMalformed):
		return metadata.AttributeErrorTypeMalformed
	default:
		return metadata.AttributeErrorTypeConnection
	}
}

func errorTypeOfStatus(code int) metadata.AttributeErrorType {
	switch code {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return metadata.AttributeErrorTypeUnauthorized
	default:
		return metadata.AttributeErrorTypeHTTPStatus
	}
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout()
}
