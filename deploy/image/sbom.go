package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"errors"
	"os"
	"runtime/debug"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// writeSBOM writes the modules in the build information of a binary in CycloneDX format.
func writeSBOM(file, name, version, program string) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(program) //nolint:gosec // it is what the user asks for
	if err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Component: &cdx.Component{
		BOMRef: name, Type: cdx.ComponentTypeApplication, Name: name, Version: version,
		Hashes: &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum[:])}},
	}}
	components := []cdx.Component{module("stdlib", info.GoVersion)}
	for _, dependency := range info.Deps {
		components = append(components, module(built(dependency)))
	}
	var refs []string
	for _, c := range components {
		refs = append(refs, c.BOMRef)
	}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: name, Dependencies: &refs}}
	out, err := os.Create(file) //nolint:gosec // it is what the user asks for
	if err != nil {
		return err
	}
	return errors.Join(cdx.NewBOMEncoder(out, cdx.BOMFileFormatJSON).SetPretty(true).Encode(bom), out.Close())
}

// built returns the module that was compiled: m or its replacement. A replacement in a folder of this repository has the
// path of m and no published version.
func built(m *debug.Module) (path, version string) {
	switch {
	case m.Replace == nil:
		return m.Path, m.Version
	case strings.HasPrefix(m.Replace.Path, "."):
		return m.Path, m.Replace.Version
	}
	return m.Replace.Path, m.Replace.Version
}

func module(path, version string) cdx.Component {
	purl := "pkg:golang/" + path + "@" + version
	return cdx.Component{BOMRef: purl, Type: cdx.ComponentTypeLibrary, Name: path, Version: version, PackageURL: purl}
}
