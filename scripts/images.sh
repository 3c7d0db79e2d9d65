#!/usr/bin/env bash
# Writes images of both distributions, for amd64 and arm64, and their SBOMs.
#
#	images.sh <builder> <folder>
set -eu -o pipefail
cd "$(dirname "$0")/.."

builder=$1
folder=$2
version=$(awk '$1 == "version:" {print $2; exit}' builder-config.yaml)
for target in collector lean; do
	name=otelcol-goroutine
	if [ $target = lean ]; then name=$name-lean; fi
	binaries=()
	for architecture in amd64 arm64; do
		binary=$folder/linux-$architecture/$name
		scripts/distribution.sh "$builder" $target "$binary" linux/$architecture
		binaries+=(-binary "linux/$architecture=$binary")
	done
	go -C deploy/image run . -name $name -version "$version" -out "$folder" "${binaries[@]}"
done
ls -l "$folder"/*.tar
