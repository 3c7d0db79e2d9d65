#!/usr/bin/env bash
# Builds the artifacts of a release once more, with no folder and no cache of the first build,
# and fails if they differ.
#
#	artifacts-check.sh <folder of the tools> <version> <folder of the artifacts> <os/architecture>...
set -eu -o pipefail

tools=$1
version=$2
artifacts=$3
shift 3
other=$(mktemp -d)
trap 'rm -rf "$other"' EXIT
GOCACHE=$other/cache scripts/artifacts.sh "$tools" "$version" "$other/artifacts" "$@"
diff "$artifacts/checksums.txt" "$other/artifacts/checksums.txt"
echo "the same bytes twice"
