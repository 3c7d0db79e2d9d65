package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// user is the user of the image: nonroot of distroless images, as in the Dockerfile.
const user = "65532:65532"

// writeImage writes an image for all platforms to a tar.
func writeImage(file, name, version string, binaries []binary) error {
	folder, err := os.MkdirTemp(filepath.Dir(file), "layout")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, b := range binaries {
		image, err := imageOf(b, name, version)
		if err != nil {
			return fmt.Errorf("image of %s: %w", b.path, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{
			Platform: &v1.Platform{OS: b.os, Architecture: b.architecture},
		}})
	}
	path, err := layout.Write(folder, empty.Index)
	if err != nil {
		return err
	}
	// docker load uses these names.
	if err := path.AppendIndex(index, layout.WithAnnotations(map[string]string{
		"org.opencontainers.image.ref.name": version,
		"io.containerd.image.name":          name + ":" + version,
	})); err != nil {
		return err
	}
	return packFolder(file, folder)
}

func imageOf(b binary, name, version string) (v1.Image, error) {
	program, err := os.ReadFile(b.path)
	if err != nil {
		return nil, err
	}
	base, err := layerOf(system()...)
	own, errOwn := layerOf(entry{name: name, mode: 0o555, content: program})
	if err := errors.Join(err, errOwn); err != nil {
		return nil, err
	}
	image, err := mutate.AppendLayers(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), base, own)
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = b.os, b.architecture
	config.Config = v1.Config{
		User:       user,
		Entrypoint: []string{"/" + name},
		WorkingDir: "/",
		Labels: map[string]string{
			"org.opencontainers.image.title":    name,
			"org.opencontainers.image.version":  version,
			"org.opencontainers.image.source":   "https://github.com/otel-goroutine/otel-goroutine",
			"org.opencontainers.image.licenses": "Apache-2.0",
		},
	}
	return mutate.ConfigFile(image, config)
}

// entry is a file of a layer, or a folder if its name ends in a slash.
type entry struct {
	name    string
	mode    int64
	content []byte
}

// layerOf returns a layer with files.
func layerOf(entries ...entry) (v1.Layer, error) {
	var packed bytes.Buffer
	if err := pack(&packed, entries); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(packed.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer))
}

// pack writes files to a tar without times and owners, so that it is reproducible.
func pack(to io.Writer, entries []entry) error {
	var errs []error
	w := tar.NewWriter(to)
	for _, e := range entries {
		header := &tar.Header{Name: e.name, Mode: e.mode, Size: int64(len(e.content)), Typeflag: tar.TypeReg, ModTime: time.Unix(0, 0)}
		if strings.HasSuffix(e.name, "/") {
			header.Typeflag = tar.TypeDir
		}
		errs = append(errs, w.WriteHeader(header))
		_, err := w.Write(e.content)
		errs = append(errs, err)
	}
	return errors.Join(append(errs, w.Close())...)
}

// packFolder writes the files of a folder to a tar, in the order of their names.
func packFolder(file, folder string) error {
	var entries []entry
	root := os.DirFS(folder)
	if err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(root, path)
		entries = append(entries, entry{name: path, mode: 0o644, content: content})
		return err
	}); err != nil {
		return err
	}
	out, err := os.Create(file) //nolint:gosec // it is what the user asks for
	if err != nil {
		return err
	}
	return errors.Join(pack(out, entries), out.Close())
}
