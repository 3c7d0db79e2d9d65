#!/usr/bin/env bash
# Builds the artifacts of a release again, without folders and caches of the first build, and fails
# if they differ.
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
echo "both builds are identical"
