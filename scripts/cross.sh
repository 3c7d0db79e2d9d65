#!/usr/bin/env bash
# Builds and vets package instrument for platforms.
#
#	cross.sh <os/architecture>...
set -eu -o pipefail

for platform in "$@"; do
	echo "== $platform"
	export GOOS=${platform%/*} GOARCH=${platform#*/}
	go build ./instrument
	go vet ./instrument
done
