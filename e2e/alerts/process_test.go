package alerts

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// process is a program that can be restarted. It is stopped when the test ends. If the test fails, the end
// of its output is logged.
type process struct {
	program string
	args    []string
	env     []string
	cmd     *exec.Cmd
	output  output
}

// startProcess starts a program.
func startProcess(t *testing.T, env []string, program string, args ...string) *process {
	t.Helper()
	p := &process{program: program, args: args, env: append(os.Environ(), env...)}
	t.Cleanup(func() {
		p.end(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("%s %v wrote:\n%s", filepath.Base(p.program), p.args, p.output.last())
		}
	})
	require.NoError(t, p.start(), "make servers and make collector install what is needed")
	return p
}

func (p *process) start() error {
	p.cmd = exec.Command(p.program, p.args...)
	p.cmd.Env = p.env
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	return p.cmd.Start()
}

// end sends a signal and waits until the process has exited. After 10 s it kills the process.
func (p *process) end(signal os.Signal) {
	if p.cmd.ProcessState != nil {
		return // already
	}
	_ = p.cmd.Process.Signal(signal) // it may have exited already
	kill := time.AfterFunc(10*time.Second, func() { _ = p.cmd.Process.Kill() })
	_ = p.cmd.Wait() // ended by a signal
	kill.Stop()
}

// restart ends the process with a signal, and starts it again.
func (p *process) restart(signal os.Signal) error {
	p.end(signal)
	return p.start()
}

// output is a buffer for the output of a process.
type output struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (o *output) Write(data []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.Write(data)
}

// last returns the end of the output.
func (o *output) last() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := o.buffer.Bytes()
	return bytes.Clone(all[max(0, len(all)-4000):])
}

// build builds a package of this repository with additional environment variables.
func build(t *testing.T, folder string, env ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), filepath.Base(folder))
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return program
}

// await waits until condition returns true, and returns how long that took. It fails the test after the
// timeout.
func await(t *testing.T, timeout time.Duration, what string, condition func() bool) time.Duration {
	t.Helper()
	begin := time.Now()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for ; time.Since(begin) < timeout; <-again.C {
		if condition() {
			return time.Since(begin)
		}
	}
	require.FailNow(t, what, "not within %v", timeout)
	return 0
}

// awaitReady waits until a server responds with status 200.
func awaitReady(t *testing.T, url string) {
	t.Helper()
	await(t, 30*time.Second, url+" answers", func() bool {
		response, err := client.Get(url)
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

// client keeps no idle connections, which goleak would report.
var client = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
