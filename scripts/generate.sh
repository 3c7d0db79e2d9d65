#!/usr/bin/env bash
# Generates the metadata of the components, docs/metrics.md and the list of standard packages.
#
#	generate.sh <folder of mdatagen>
set -eu -o pipefail

export PATH=$1:$PATH
go generate ./internal/stack
go -C semconv generate ./...
for component in {receiver,processor,connector,exporter,extension}/*/; do go -C "$component" generate ./...; done
