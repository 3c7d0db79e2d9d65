package origins

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// observation has the origins of a running service.
type observation struct {
	// groups are the signatures in a trace, origins the origin of each.
	groups  []stack.Signature
	origins []origin.Origin
	read    *exectrace.Origins
	// createdBy is the go statement of each goroutine in debug=2, as file:line.
	createdBy map[uint64]string
}

// observe runs a service, takes a trace of the default length of a first trace, and then the stacks.
func observe(t *testing.T, executable string, args ...string) observation {
	t.Helper()
	address := loopback.FreeAddress(t)
	ctx, end := context.WithCancel(t.Context())
	defer end()
	service := exec.CommandContext(ctx, executable, append([]string{"-listen", address, "-for", "60s"}, args...)...)
	var output bytes.Buffer
	service.Stdout, service.Stderr = &output, &output
	require.NoError(t, service.Start())
	defer func() {
		end()
		_ = service.Wait() // killed
	}()
	debug := "http://" + address + "/debug/pprof/"
	require.Eventually(t, func() bool {
		_, err := get(ctx, debug+"goroutine?debug=1")
		return err == nil
	}, 10*time.Second, 50*time.Millisecond, "%s", &output)
	// Each leak needs some goroutines that are older than the trace.
	sleep(ctx, 2*time.Second)
	trace, err := get(ctx, debug+"trace?seconds=1.2")
	require.NoError(t, err)
	stacks, err := get(ctx, debug+"goroutine?debug=2")
	require.NoError(t, err)
	l := observation{createdBy: createdBy(string(stacks))}
	l.read, l.groups = follow(t, trace)
	var subjects origin.Subjects
	for _, g := range l.groups {
		subjects.Groups = append(subjects.Groups, origin.Subject{Signature: g})
	}
	l.origins = origin.Conclude(subjects, []*exectrace.Origins{l.read})
	return l
}

// sleep waits for d or until ctx is done.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}
	return io.ReadAll(response.Body)
}

// follow returns the groups in a trace and their origins.
func follow(t *testing.T, trace []byte) (*exectrace.Origins, []stack.Signature) {
	t.Helper()
	s, err := followed(t, trace, nil).Snapshot()
	require.NoError(t, err)
	var groups []stack.Signature
	for _, g := range s.Groups {
		groups = append(groups, g.Signature)
	}
	return followed(t, trace, groups).Origins(nil), groups
}

func followed(t *testing.T, trace []byte, groups []stack.Signature) *exectrace.Follower {
	t.Helper()
	f, err := exectrace.Follow(bytes.NewReader(trace), groups)
	for err == nil {
		err = f.Next()
	}
	require.ErrorIs(t, err, io.EOF)
	return f
}

var (
	goroutineLine = regexp.MustCompile(`^goroutine (\d+) `)
	createdLine   = regexp.MustCompile(`(?m)^created by .*\n\t(\S+:\d+)`)
)

// createdBy parses the go statements in stacks in the format of debug=2.
//
//	goroutine 7 [chan send]:
//	...
//	created by main.checkOut in goroutine 5
//		/src/main.go:17 +0x4f                 ->  7: /src/main.go:17
func createdBy(stacks string) map[uint64]string {
	all := make(map[uint64]string)
	for block := range strings.SplitSeq(stacks, "\n\n") {
		id, created := goroutineLine.FindStringSubmatch(block), createdLine.FindStringSubmatch(block)
		if id == nil || created == nil {
			continue
		}
		if n, err := strconv.ParseUint(id[1], 10, 64); err == nil {
			all[n] = created[1]
		}
	}
	return all
}

// at returns a frame as file:line.
func at(f stack.Frame) string { return f.File + ":" + strconv.Itoa(f.Line) }
