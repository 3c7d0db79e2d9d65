package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
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
	var groups []stack.Signature
	for _, s := range of.Groups {
		groups = append(groups, s.Signature)
	}
	var entries []string
	for _, s := range of.Entries {
		entries = append(entries, s.Signature.Entry)
	}
	body := &io.LimitedReader{R: found.Body, N: maxOriginTrace}
	follower, err := exectrace.Follow(body, groups)
	if err != nil {
		return nil, err
	}
	for !origin.Known(origins) {
		err := follower.Next()
		switch {
		case errors.Is(err, io.EOF):
			return origins, nil
		case body.N <= 0:
			return origins, errOriginTrace
		case err != nil:
			return origins, err
		}
		origins = origin.Conclude(of, []*exectrace.Origins{follower.Origins(entries)})
	}
	return origins, nil
}
