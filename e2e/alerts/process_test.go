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

// process is a program that can be ended and begun again as it was. It ends with its
// test, and what it wrote is shown if the test fails.
type process struct {
	program string
	args    []string
	env     []string
	running *exec.Cmd
	written output
}

// startProcess starts a program.
func startProcess(t *testing.T, env []string, program string, args ...string) *process {
	t.Helper()
	p := &process{program: program, args: args, env: append(os.Environ(), env...)}
	t.Cleanup(func() {
		p.end(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("%s %v wrote:\n%s", filepath.Base(p.program), p.args, p.written.last())
		}
	})
	require.NoError(t, p.start(), "make servers and make collector install what is needed")
	return p
}

func (p *process) start() error {
	p.running = exec.Command(p.program, p.args...)
	p.running.Env = p.env
	p.running.Stdout, p.running.Stderr = &p.written, &p.written
	return p.running.Start()
}

// end sends a signal and waits until the process has ended: 10 s, and it is killed.
func (p *process) end(with os.Signal) {
	if p.running.ProcessState != nil {
		return // already
	}
	_ = p.running.Process.Signal(with) // it may have ended by itself
	kill := time.AfterFunc(10*time.Second, func() { _ = p.running.Process.Kill() })
	_ = p.running.Wait() // ended by a signal
	kill.Stop()
}

// restart ends the process with a signal, and starts it again.
func (p *process) restart(with os.Signal) error {
	p.end(with)
	return p.start()
}

// output is what a process writes.
type output struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (o *output) Write(data []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.Write(data)
}

// last returns the end, as much as one cares to read.
func (o *output) last() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := o.buffer.Bytes()
	return bytes.Clone(all[max(0, len(all)-4000):])
}

// build builds a package of this repository, in an environment with more variables.
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

// await asks again and again until the answer is yes, and returns how long it took.
func await(t *testing.T, patience time.Duration, what string, arrived func() bool) time.Duration {
	t.Helper()
	begin := time.Now()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for ; time.Since(begin) < patience; <-again.C {
		if arrived() {
			return time.Since(begin)
		}
	}
	require.FailNow(t, what, "not within %v", patience)
	return 0
}

// awaitReady waits until a server answers.
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

// client leaves no connection behind, which goleak would find.
var client = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
