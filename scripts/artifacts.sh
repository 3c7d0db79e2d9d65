#!/usr/bin/env bash
# Builds the artifacts of a release from the modules of its tags: each command for each platform,
# each distribution of the collector for Linux, an SBOM for each binary, and checksums. The same
# tags give the same binaries, in any folder, on any machine. SBOMs also contain the checksum of the
# tool that wrote them.
#
#	artifacts.sh <folder of the tools> <version> <folder> <platform>...
set -eu -o pipefail
. scripts/published.sh

tools=$1
version=$2
mkdir -p "$3"
folder=$(realpath "$3")
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# describe writes the SBOM of a binary.
describe() { "$tools/cyclonedx-gomod" bin -json -noserial -notimestamp -std -version "$version" -output "$1.cdx.json" "$1"; }

# command builds a command, as go install does for its users.
command() {
	local name
	name=$(basename "$1")
	echo "== $name for $GOOS/$GOARCH"
	rm -rf "$GOPATH/bin"
	go install -ldflags='-s -w' "$1@$version"
	for binary in $(find "$GOPATH/bin" -type f); do
		mv "$binary" "$folder/${name}_${version#v}_${GOOS}_$GOARCH${binary#"${binary%.exe}"}"
	done
}

# distribution generates the sources of a collector, with its components as modules. Replacements of
# other modules keep their relative paths, since a binary contains these.
distribution() {
	sed -E -e '/^ +path:/d' -e "\\,^ +- $module.* =>,d" -e "s,^(  output_path:).*,\1 $work/collector," "$1" > "$work/builder.yaml"
	rm -rf "$work/collector" "$work/internal"
	mkdir -p "$work/internal/tools"
	cp -r internal/tools/noaws "$work/internal/tools/"
	"$tools/builder" --config "$work/builder.yaml" --skip-compilation > "$work/said" 2>&1 || {
		cat "$work/said"
		exit 1
	}
}

versions=()
for path in $(published_modules); do versions+=("$(module_path "$path")@$version"); done
commands=$(published_commands)
proxy=$(scripts/serve-modules.sh . "$work/proxy" "${versions[@]}")
use_proxy "$proxy" "$work/modules"
# The Go version is part of the artifacts.
export GOTOOLCHAIN=go1.26.8 CGO_ENABLED=0 GOPATH=$work/path

for path in $commands; do
	for platform in "$@"; do GOOS=${platform%/*} GOARCH=${platform#*/} command "$path"; done
done
for file in builder-config*.yaml; do
	name=$(sed -nE 's/^  name: (.*)/\1/p' "$file")
	distribution "$file"
	for architecture in amd64 arm64; do
		echo "== $name for linux/$architecture"
		GOOS=linux GOARCH=$architecture go -C "$work/collector" build -ldflags='-s -w' -o "$folder/${name}_${version#v}_linux_$architecture" .
	done
done
cd "$folder"
rm -f ./*.cdx.json checksums.txt
for binary in *; do describe "$binary"; done
sha256sum -- * > checksums.txt
cat checksums.txt
