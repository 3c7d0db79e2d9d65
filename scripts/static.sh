#!/usr/bin/env bash
# Builds a distribution of the collector as a static binary for any platform.
#
#	static.sh <builder> <collector or lean> <os/architecture> <binary>
set -eu -o pipefail
cd "$(dirname "$0")/.."

builder=$1
platform=$3
binary=$4
case $2 in
collector) config=builder-config.yaml sources=dist ;;
lean) config=builder-config.lean.yaml sources=dist/lean ;;
*) echo "$2 is neither collector nor lean" >&2 && exit 1 ;;
esac
"$builder" --config "$config" --skip-compilation 2>&1 | sed 's/^/  /'
GOOS=${platform%/*} GOARCH=${platform#*/} internal/tools/progress.sh "$sources" "$binary"
