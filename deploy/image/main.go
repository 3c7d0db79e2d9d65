// Command image writes an OCI image of a static binary without Docker, as a layout in a tar for docker load, podman load
// and skopeo, and an SBOM of each binary.
//
//	image -name otelcol-goroutine -version 0.1.0 -out bin/image \
//		-binary linux/amd64=bin/image/linux-amd64/otelcol-goroutine
//
// The image is reproducible.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	name := flags.String("name", "", "name of the image, and of the binary in it")
	version := flags.String("version", "", "version of the image")
	out := flags.String("out", "", "folder to write to")
	var binaries []binary
	flags.Func("binary", "platform and path of a binary: linux/amd64=path; once for each platform", func(value string) error {
		b, err := parseBinary(value)
		binaries = append(binaries, b)
		return err
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *name == "" || *version == "" || *out == "" || len(binaries) == 0 {
		return errors.New("-name, -version, -out and -binary are required")
	}
	if err := os.MkdirAll(*out, 0o755); err != nil { //nolint:gosec // it is for everybody to read
		return err
	}
	for _, b := range binaries {
		file := filepath.Join(*out, fmt.Sprintf("%s.%s-%s.cdx.json", *name, b.os, b.architecture))
		if err := writeSBOM(file, *name, *version, b.path); err != nil {
			return fmt.Errorf("SBOM of %s: %w", b.path, err)
		}
	}
	return writeImage(filepath.Join(*out, *name+".tar"), *name, *version, binaries)
}

// binary is the program for one platform.
type binary struct{ os, architecture, path string }

func parseBinary(value string) (binary, error) {
	platform, path, ok := strings.Cut(value, "=")
	system, architecture, okToo := strings.Cut(platform, "/")
	if !ok || !okToo || path == "" {
		return binary{}, fmt.Errorf("%q is not os/architecture=path", value)
	}
	return binary{system, architecture, path}, nil
}
