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

// server is one that is tried.
type server struct {
	name, program string
	// start starts it, and returns where it serves net/http/pprof, and its clients.
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

// version returns the version that was built.
func (s server) version(t *testing.T) string {
	t.Helper()
	info, err := buildinfo.ReadFile(binary(s.program))
	require.NoError(t, err)
	return info.Main.Version
}

// binary returns where `make healthy-check` builds a server to.
func binary(program string) string { return filepath.Join("..", "..", "bin", "tools", program) }

// program starts a server that `make healthy-check` has built, and waits until ready answers.
func program(t *testing.T, name, ready string, args ...string) {
	t.Helper()
	var written bytes.Buffer
	cmd := exec.Command(binary(name), args...)
	cmd.Stdout, cmd.Stderr = &written, &written
	require.NoError(t, cmd.Start(), "make healthy-check builds it")
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // by a signal
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		if t.Failed() {
			all := written.Bytes()
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
