package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// self builds this command as the program of an image.
func self(t *testing.T, architecture string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program-"+architecture)
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+architecture)
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	return path
}

func TestImageIsWhole(t *testing.T) {
	amd64, arm64, out := self(t, "amd64"), self(t, "arm64"), t.TempDir()
	require.NoError(t, run([]string{
		"-name", "program", "-version", "1.2.3", "-out", out, "-binary", "linux/amd64=" + amd64, "-binary", "linux/arm64=" + arm64,
	}))
	files := filesOf(t, filepath.Join(out, "program.tar"))
	assert.JSONEq(t, `{"imageLayoutVersion": "1.0.0"}`, string(files["oci-layout"]))
	for name, content := range files {
		if sum, ok := strings.CutPrefix(name, "blobs/sha256/"); ok {
			actual := sha256.Sum256(content)
			assert.Equal(t, sum, hex.EncodeToString(actual[:]), "blob")
		}
	}
	var index, images v1.IndexManifest
	unmarshal(t, files["index.json"], &index)
	require.Len(t, index.Manifests, 1)
	assert.Equal(t, "program:1.2.3", index.Manifests[0].Annotations["io.containerd.image.name"])
	unmarshal(t, blob(files, index.Manifests[0].Digest), &images)
	require.Len(t, images.Manifests, 2)
	for i, architecture := range []string{"amd64", "arm64"} {
		var manifest v1.Manifest
		var config v1.ConfigFile
		assert.Equal(t, &v1.Platform{OS: "linux", Architecture: architecture}, images.Manifests[i].Platform)
		unmarshal(t, blob(files, images.Manifests[i].Digest), &manifest)
		unmarshal(t, blob(files, manifest.Config.Digest), &config)
		assert.Equal(t, architecture, config.Architecture)
		assert.Equal(t, "65532:65532", config.Config.User)
		assert.Equal(t, []string{"/program"}, config.Config.Entrypoint)
		assert.Len(t, manifest.Layers, 2)
	}
}

// TestSameBinariesMakeTheSameImage builds an image twice, with different modification times of the files.
func TestSameBinariesMakeTheSameImage(t *testing.T) {
	program := self(t, "amd64")
	var sums []string
	for range 2 {
		out := t.TempDir()
		require.NoError(t, run([]string{"-name", "program", "-version", "1", "-out", out, "-binary", "linux/amd64=" + program}))
		content, err := os.ReadFile(filepath.Join(out, "program.tar"))
		require.NoError(t, err)
		sums = append(sums, fmt.Sprintf("%x", sha256.Sum256(content)))
	}
	assert.Equal(t, sums[0], sums[1])
}

func TestSBOMNamesWhatIsBuiltIn(t *testing.T) {
	program, out := self(t, "amd64"), t.TempDir()
	require.NoError(t, run([]string{"-name", "program", "-version", "1", "-out", out, "-binary", "linux/amd64=" + program}))
	file, err := os.Open(filepath.Join(out, "program.linux-amd64.cdx.json"))
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	var bom cdx.BOM
	require.NoError(t, cdx.NewBOMDecoder(file, cdx.BOMFileFormatJSON).Decode(&bom))
	var names []string
	for _, c := range *bom.Components {
		names = append(names, c.Name)
		assert.Contains(t, c.PackageURL, "pkg:golang/"+c.Name+"@")
	}
	assert.Contains(t, names, "github.com/google/go-containerregistry")
	assert.Contains(t, names, "stdlib")
	assert.NotContains(t, names, "github.com/stretchr/testify", "it is in tests alone")
}

// TestDockerfileMakesTheSameImage compares the configuration of the image with the Dockerfile.
func TestDockerfileMakesTheSameImage(t *testing.T) {
	text, err := os.ReadFile("Dockerfile")
	require.NoError(t, err)
	assert.Contains(t, string(text), "\nUSER "+user+"\n")
	assert.Contains(t, string(text), "\nENTRYPOINT [\"/otelcol-goroutine\"]\n")
}

// TestReplacementsAreNamed checks that the SBOM has the replaced modules.
func TestReplacementsAreNamed(t *testing.T) {
	required := debug.Module{Path: "example.com/a", Version: "v1.0.0"}
	for want, replace := range map[string]*debug.Module{
		"example.com/a@v1.0.0":  nil,
		"example.com/b@v2.0.0":  {Path: "example.com/b", Version: "v2.0.0"},
		"example.com/a@(devel)": {Path: "../internal/tools/a", Version: "(devel)"},
	} {
		m := required
		m.Replace = replace
		path, version := built(&m)
		assert.Equal(t, want, path+"@"+version)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"-name a -version 1 -out " + t.TempDir(), "are required"},
		{"-binary linux=x", "os/architecture=path"},
		{"-name a -version 1 -out " + t.TempDir() + " -binary linux/amd64=absent", "absent"},
		{"-name a -version 1 -out " + t.TempDir() + " -binary linux/amd64=main.go", "main.go"},
		{"-none", "none"},
	} {
		assert.ErrorContains(t, run(strings.Fields(test.args)), test.want)
	}
}

func filesOf(t *testing.T, path string) map[string][]byte {
	t.Helper()
	packed, err := os.ReadFile(path)
	require.NoError(t, err)
	files := make(map[string][]byte)
	for r := tar.NewReader(bytes.NewReader(packed)); ; {
		header, err := r.Next()
		if err == io.EOF { //nolint:errorlint // as io.Reader has it
			return files
		}
		require.NoError(t, err)
		files[header.Name], err = io.ReadAll(r)
		require.NoError(t, err)
	}
}

func blob(files map[string][]byte, digest v1.Hash) []byte {
	return files["blobs/sha256/"+digest.Hex]
}

func unmarshal(t *testing.T, text []byte, into any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(text, into), string(text))
}
