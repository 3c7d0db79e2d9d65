#!/usr/bin/env bash
# Builds a tool at the version in the go.mod of a module.
#
#	tool.sh <module> <import path> <binary> [<flags of go build>]
set -eu -o pipefail

module=$1
path=$2
binary=$3
shift 3
echo "Building $(basename "$binary") ..."
mkdir -p "$(dirname "$binary")"
go -C "$module" build "$@" -o "$binary" "$path"
