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

// maxOriginTrace is the largest trace that is read for origins, in bytes: three seconds of
// 20,000 births each have 13 MB.
const maxOriginTrace = 32 << 20

// errOriginTrace is a trace that is larger.
var errOriginTrace = fmt.Errorf("the trace is larger than %d MiB", maxOriginTrace>>20)

// Origins traces the process for so long, and returns where the goroutines of the subjects
// come from. It ends the trace as soon as nothing more can be learned.
func (t *Target) Origins(ctx context.Context, d time.Duration, of origin.Subjects) (origins []origin.Origin, err error) {
	ctx, cancel := context.WithTimeout(ctx, d+Timeout)
	defer cancel()
	found, err := t.asker.ask(ctx, "trace", "seconds="+strconv.FormatFloat(d.Seconds(), 'f', -1, 64))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, found.Body.Close()) }()
	body := &io.LimitedReader{R: found.Body, N: maxOriginTrace}
	_, origins, err = origin.Read(body, of)
	if err != nil && body.N <= 0 {
		err = errOriginTrace
	}
	return origins, err
}
