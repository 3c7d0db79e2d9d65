package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/origin"
)

// maxOriginTrace is the largest trace for origins, in bytes. Three seconds of 20,000 births each
// take 13 MB.
const maxOriginTrace = 32 << 20

var errOriginTrace = fmt.Errorf("the trace is larger than %d MiB", maxOriginTrace>>20)

// Origins traces the process for the duration d, and returns the origins of the subjects. It ends
// the trace early if they are all known.
func (t *Target) Origins(ctx context.Context, d time.Duration, subjects origin.Subjects) (origins []origin.Origin, err error) {
	ctx, cancel := context.WithTimeout(ctx, d+Timeout)
	defer cancel()
	found, err := t.requester.get(ctx, "trace", "seconds="+strconv.FormatFloat(d.Seconds(), 'f', -1, 64))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, found.Body.Close()) }()
	body := &io.LimitedReader{R: found.Body, N: maxOriginTrace}
	_, origins, err = origin.Read(body, subjects)
	if err != nil && body.N <= 0 {
		err = errOriginTrace
	}
	return origins, err
}
