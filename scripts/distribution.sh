#!/usr/bin/env bash
# Builds a distribution of the collector as a static binary.
#
#	distribution.sh <builder> <collector or lean> <binary> [<os/architecture>]
# Sources are generated and then compiled separately, since the builder shows no progress.
set -eu -o pipefail
cd "$(dirname "$0")/.."

builder=$1
binary=$3
case $2 in
collector) config=builder-config.yaml sources=dist size="1,200 packages, 5 to 10 minutes" ;;
lean) config=builder-config.lean.yaml sources=dist/lean size="600 packages, 3 minutes" ;;
*) echo "$2 is neither collector nor lean" >&2 && exit 1 ;;
esac
if [ $# -gt 3 ]; then export GOOS=${4%/*} GOARCH=${4#*/}; fi
echo "Building the $2 distribution: some $size the first time, seconds after."
mkdir -p dist
"$builder" --config "$config" --skip-compilation 2>&1 | sed 's/^/  /'
scripts/compile.sh "$sources" "$binary"
