package healthy

import (
	"bytes"
	"debug/buildinfo"
	"net/http"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// server is a server to test.
type server struct {
	name, program string
	// start starts the server, and returns the address of net/http/pprof and its kinds of clients.
	start func(*testing.T) (pprof string, clients []client)
}

var servers = []server{
	{"NATS", "nats-server", startNATS},
	{"etcd", "etcd", startEtcd},
	{"Prometheus", "prometheus", startPrometheus},
	{"Alertmanager", "alertmanager", startAlertmanager},
	{"VictoriaMetrics", "victoria-metrics", startVictoriaMetrics},
	{"Caddy", "caddy", startCaddy},
}

// version returns the version of the binary.
func (s server) version(t *testing.T) string {
	t.Helper()
	info, err := buildinfo.ReadFile(binary(s.program))
	require.NoError(t, err)
	return info.Main.Version
}

// binary returns the path to which `make healthy-check` builds a server.
func binary(program string) string { return filepath.Join("..", "..", "bin", "tools", program) }

// program starts a server and waits until the URL ready responds.
func program(t *testing.T, name, ready string, args ...string) {
	t.Helper()
	var output bytes.Buffer
	cmd := exec.Command(binary(name), args...)
	cmd.Stdout, cmd.Stderr = &output, &output
	require.NoError(t, cmd.Start(), "make healthy-check builds it")
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // ended by a signal
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have exited
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		if t.Failed() {
			all := output.Bytes()
			t.Logf("%s wrote:\n%s", name, all[max(0, len(all)-4000):])
		}
	})
	require.Eventually(t, func() bool {
		answer, err := http.Get(ready)
		if err != nil {
			return false
		}
		_ = answer.Body.Close() // only its status matters
		return answer.StatusCode == http.StatusOK
	}, time.Minute, 50*time.Millisecond, "%s is not ready", name)
}
