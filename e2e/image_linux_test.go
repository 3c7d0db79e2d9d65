package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

// megabyte is the unit in which image sizes are given.
const megabyte = 1_000_000 // bytes

// TestImagesRun writes the image of each distribution for this machine, unpacks it, and runs it with
// the image as its root directory.
func TestImagesRun(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		binary, config string
		most           int64 // bytes, unpacked
	}{
		{collector, "agent.yaml", 90 * megabyte},
		{lean, "gateway.yaml", 45 * megabyte},
	} {
		name := filepath.Base(test.binary)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			image, root := writeImage(t, test.binary), t.TempDir()
			config, size := unpack(t, image, root)
			packed, err := os.Stat(image)
			require.NoError(t, err)
			t.Logf("%s: %.1f MB unpacked, %.1f MB packed", name, float64(size)/megabyte, float64(packed.Size())/megabyte)
			assert.LessOrEqual(t, size, test.most, "bytes of the image, unpacked")
			assert.Equal(t, "65532:65532", config.User)
			assert.Equal(t, []string{"/" + name}, config.Entrypoint)
			assert.FileExists(t, filepath.Join(root, "etc/ssl/certs/ca-certificates.crt"))
			runImage(t, root, config.Entrypoint[0], test.config)
		})
	}
}

// writeImage writes the image of a binary for this machine.
func writeImage(t *testing.T, binary string) string {
	t.Helper()
	path, err := filepath.Abs(binary)
	require.NoError(t, err)
	out, name := t.TempDir(), filepath.Base(binary)
	cmd := exec.CommandContext(t.Context(), "go", "run", ".", "-name", name, "-version", "0.0.0", "-out", out,
		"-binary", "linux/"+runtime.GOARCH+"="+path)
	cmd.Dir = filepath.Join("..", "deploy", "image")
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, string(output))
	assert.FileExists(t, filepath.Join(out, name+".linux-"+runtime.GOARCH+".cdx.json"))
	return filepath.Join(out, name+".tar")
}

// ociDocument has the fields that the test reads from an index, a manifest or a configuration.
type ociDocument struct {
	Manifests []struct{ Digest string }
	Config    struct {
		Digest     string
		User       string
		Entrypoint []string
	}
	Layers []struct{ Digest string }
}

// unpack unpacks an image for one platform as a container runtime does, and returns its configuration
// and the total size of its files in bytes.
func unpack(t *testing.T, image, root string) (config struct {
	User       string
	Entrypoint []string
}, size int64,
) {
	t.Helper()
	packed, err := os.ReadFile(image)
	require.NoError(t, err)
	files := make(map[string][]byte)
	eachFile(t, bytes.NewReader(packed), func(header *tar.Header, content []byte) { files[header.Name] = content })
	blob := func(digest string) []byte {
		content, ok := files["blobs/"+strings.Replace(digest, ":", "/", 1)]
		require.True(t, ok, digest)
		return content
	}
	parse := func(text []byte) (d ociDocument) {
		require.NoError(t, json.Unmarshal(text, &d))
		return d
	}
	index := parse(files["index.json"])
	platforms := parse(blob(index.Manifests[0].Digest))
	require.Len(t, platforms.Manifests, 1)
	manifest := parse(blob(platforms.Manifests[0].Digest))
	for _, layer := range manifest.Layers {
		unzipped, err := gzip.NewReader(bytes.NewReader(blob(layer.Digest)))
		require.NoError(t, err)
		eachFile(t, unzipped, func(header *tar.Header, content []byte) {
			path := filepath.Join(root, filepath.FromSlash(header.Name))
			if header.Typeflag == tar.TypeDir {
				require.NoError(t, os.MkdirAll(path, 0o755))
				return
			}
			size += header.Size
			require.NoError(t, os.WriteFile(path, content, header.FileInfo().Mode()))
		})
	}
	own := parse(blob(manifest.Config.Digest)).Config
	config.User, config.Entrypoint = own.User, own.Entrypoint
	return config, size
}

func eachFile(t *testing.T, from io.Reader, do func(header *tar.Header, content []byte)) {
	t.Helper()
	for r := tar.NewReader(from); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		content, err := io.ReadAll(r)
		require.NoError(t, err)
		do(header, content)
	}
}

// runImage runs the program of an image with an example configuration until it is healthy. If the test
// runs as root, the program runs as the user of the image, with the image as its root directory.
func runImage(t *testing.T, root, program, example string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "examples", "collector", example))
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Join(root, "conf"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "conf", "collector.yaml"), content, 0o644))
	state := filepath.Join(root, "state")
	require.NoError(t, os.Mkdir(state, 0o700))
	address := func() string { return loopback.FreeAddress(t) }
	health, telemetry := address(), address()
	cmd := exec.Command(program, "--config", "/conf/collector.yaml")
	cmd.Dir = "/"
	base := "/"
	if os.Getuid() == 0 {
		require.NoError(t, os.Chown(state, 65532, 65532))
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
	} else {
		t.Log("Not root: the program sees the files of this machine too")
		cmd = exec.Command(filepath.Join(root, program), "--config", filepath.Join(root, "conf", "collector.yaml"))
		base = root
	}
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.Env = []string{
		"STATE_DIR=" + filepath.Join(base, "state"), "HEALTH_ENDPOINT=" + health, "TELEMETRY_PORT=" + telemetry[strings.LastIndexByte(telemetry, ':')+1:],
		"OTLP_GRPC_LISTEN=" + address(), "OTLP_HTTP_LISTEN=" + address(), "CART_PPROF=127.0.0.1:1",
	}
	require.NoError(t, cmd.Start())
	healthy := within(time.Minute, func() bool { return strings.Contains(pageAt(t.Context(), "http://"+health), "Server available") })
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Wait(), output.String())
	assert.True(t, healthy, output.String())
}
