package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"os"
	"os/exec"
	"path/filepath"
	rpprof "runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

// The secrets, by where they are.
const (
	inHeader   = "canary-in-a-header"
	inTarget   = "canary-in-a-header-of-a-target"
	inToken    = "canary-in-a-token"
	inLabel    = "canary-in-a-label"
	inArgument = "canary-in-an-argument"
	inURL      = "canary-in-a-URL"
)

const secretsConfig = `
extensions:
  zpages:
    endpoint: %[3]s
  bearertokenauth:
    token: ` + inToken + `

receivers:
  goroutine/traced:
    collection_interval: 1s
    aged_after: 1s
    headers:
      X-Tenant: ` + inHeader + `
    leak_profile:
      enabled: true
    targets:
      - endpoint: %[1]s
        service_name: sound
        headers:
          X-Tenant: ` + inTarget + `
      - endpoint: %[1]s/refuses
        service_name: refuses
      - endpoint: %[1]s/redirects
        service_name: redirects
      - endpoint: %[1]s/garbles
        service_name: garbles
  goroutine/profiled:
    collection_interval: 1s
    capture: profile
    auth:
      authenticator: bearertokenauth
    endpoint: %[1]s
    service_name: profiled

processors:
  leak_detect:
    min_duration: 5s
    max_lifetime: 5s

exporters:
  file:
    path: %[4]s
  debug:
    verbosity: detailed

service:
  extensions: [zpages, bearertokenauth]
  pipelines:
    metrics:
      receivers: [goroutine/traced, goroutine/profiled]
      processors: [leak_detect]
      exporters: [file, debug]
  telemetry:
    logs:
      level: debug
    metrics:
      level: detailed
      readers:
        - pull:
            exporter:
              prometheus:
                host: 127.0.0.1
                port: %[2]s
`

// secretiveTarget is a service that receives secrets in headers, and repeats them in its error responses.
type secretiveTarget struct {
	mu  sync.Mutex
	saw map[string]bool
	// scrapes counts the requests to the target that works.
	scrapes atomic.Int64
}

func (s *secretiveTarget) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	sent := fmt.Sprint(request.Header)
	s.mu.Lock()
	for _, canary := range []string{inHeader, inTarget, inToken} {
		s.saw[canary] = s.saw[canary] || strings.Contains(sent, canary)
	}
	s.mu.Unlock()
	for prefix, status := range map[string]int{"/refuses": 401, "/redirects": 302, "/garbles": 200} {
		if strings.HasPrefix(request.URL.Path, prefix) {
			w.Header().Set("Location", "http://"+request.Host+"/elsewhere?"+inHeader)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, sent)
			return
		}
	}
	s.scrapes.Add(1)
	if strings.HasSuffix(request.URL.Path, "/trace") {
		pprof.Trace(w, request)
		return
	}
	pprof.Index(w, request)
}

// holdSecrets starts goroutines with a secret in a label and in an argument, which wait until the test
// ends.
func holdSecrets(t *testing.T) {
	t.Helper()
	var holders sync.WaitGroup
	release := make(chan struct{})
	for range 20 {
		holders.Go(func() {
			rpprof.Do(context.Background(), rpprof.Labels("token", inLabel), func(context.Context) { hold(inArgument, release) })
		})
	}
	t.Cleanup(func() {
		close(release)
		holders.Wait()
	})
}

//go:noinline
func hold(secret string, release <-chan struct{}) {
	<-release
	_ = secret
}

// TestSecretsAreNotShown searches for the secrets in all output of a collector.
func TestSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	holdSecrets(t)
	service := &secretiveTarget{saw: make(map[string]bool)}
	server := httptest.NewServer(service)
	defer server.Close()
	folder, own, zpages := t.TempDir(), loopback.FreeAddress(t), loopback.FreeAddress(t)
	output, log := filepath.Join(folder, "metrics.json"), filepath.Join(folder, "log")
	config := filepath.Join(folder, "collector.yaml")
	_, ownPort, _ := strings.Cut(own, ":")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, secretsConfig, server.Listener.Addr(), ownPort, zpages, output), 0o600))

	stop := runInto(t, log, nil, collector, "--config", config)
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(40 * time.Second); service.scrapes.Load() < 30 && time.Now().Before(deadline); {
		<-again.C
	}
	shown := map[string]string{"own metrics": get(t, "http://"+own+"/metrics")}
	for _, page := range []string{"servicez", "pipelinez", "extensionz", "featurez", "tracez", "expvarz"} {
		shown["zpages "+page] = get(t, "http://"+zpages+"/debug/"+page)
	}
	stop()
	for name, path := range map[string]string{"metrics": output, "log": log} {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		shown[name] = string(text)
	}
	effective, err := exec.CommandContext(t.Context(), collector, "print-config", "--config", config).CombinedOutput()
	require.NoError(t, err, string(effective))
	shown["effective configuration"] = string(effective)

	// The secrets could have been shown.
	assert.Equal(t, map[string]bool{inHeader: true, inTarget: true, inToken: true}, service.saw)
	var profile bytes.Buffer
	require.NoError(t, rpprof.Lookup("goroutine").WriteTo(&profile, 1))
	assert.Contains(t, profile.String(), inLabel)
	assert.Contains(t, shown["metrics"], "e2e.hold")
	assert.Contains(t, shown["log"], "401 Unauthorized")
	assert.Contains(t, shown["effective configuration"], "garbles")
	assert.Contains(t, shown["zpages pipelinez"], "goroutine/traced")
	assert.Contains(t, shown["own metrics"], "otelcol_receiver_accepted_metric_points")
	for where, text := range shown {
		assert.NotEmpty(t, text, where)
		if at := strings.Index(text, "canary"); at >= 0 {
			assert.Fail(t, "a secret is shown", "%s: %q", where, text[max(0, at-200):min(len(text), at+100)])
		}
	}
}

// TestPasswordsInURLsAreRefused checks that a password in a URL is refused, and not shown in the error.
func TestPasswordsInURLsAreRefused(t *testing.T) {
	for name, receiver := range map[string]string{
		"endpoint":  "{endpoint: 'http://user:" + inURL + "@127.0.0.1:1'}",
		"target":    "{targets: [{endpoint: 'http://user:" + inURL + "@127.0.0.1:1'}]}",
		"unparsed":  "{endpoint: 'http://user:" + inURL + "@[::1'}",
		"proxy_url": "{endpoint: '127.0.0.1:1', proxy_url: 'http://user:" + inURL + "@127.0.0.1:1'}",
	} {
		t.Run(name, func(t *testing.T) {
			config := filepath.Join(t.TempDir(), "collector.yaml")
			require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `
receivers: {goroutine: %s}
exporters: {debug: {}}
service: {pipelines: {metrics: {receivers: [goroutine], exporters: [debug]}}}
`, receiver), 0o600))
			for _, args := range [][]string{{"validate"}, {}, {"print-config"}} {
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				out, err := exec.CommandContext(ctx, collector, append(args, "--config", config)...).CombinedOutput()
				cancel()
				require.Error(t, err, "%v", args)
				assert.Regexp(t, `"(endpoint|proxy_url)" must be`, string(out))
				assert.NotContains(t, string(out), inURL)
			}
		})
	}
}

// runInto runs a program with additional environment variables, and its output in a file, until stop is called or the
// test ends.
func runInto(t *testing.T, path string, env []string, program string, args ...string) (stop func()) {
	t.Helper()
	file, err := os.Create(path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = file.Close() })
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = file, file
	require.NoError(t, cmd.Start())
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait() // ended by a signal
	})
	t.Cleanup(stop)
	return stop
}

func get(t *testing.T, url string) string {
	t.Helper()
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(url)
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(text)
}
