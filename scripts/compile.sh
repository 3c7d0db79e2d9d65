#!/usr/bin/env bash
# Compiles a distribution of the collector and shows progress.
#
#	compile.sh <folder of the generated sources> <binary>
# Cached packages take no time and are not counted. The binary is static, so that it runs in an image
# without any other files.
set -eu -o pipefail

sources=$1
binary=$2
mkdir -p "$(dirname "$binary")"

echo "  listing packages to compile"
total=$(CGO_ENABLED=0 go -C "$sources" list -trimpath -deps -f '{{if .Stale}}{{.ImportPath}}{{end}}' . | grep -c . || true)
began=$(date +%s)
# -v prints each package as it is compiled.
if ! CGO_ENABLED=0 go -C "$sources" build -v -trimpath -ldflags="-s -w" -o "$binary" . 2>&1 |
	awk -v total="$total" -v began="$began" '
		/^[A-Za-z0-9.\/_~-]+$/ { n++; if (n % 100 == 0) { printf "  compiled %d of about %d packages\n", n, total; fflush() } next }
		{ print; fflush() }'; then
	echo "The collector could not be built." >&2
	exit 1
fi
echo "  built ${binary#"$PWD/"} in $(($(date +%s) - began)) s"
