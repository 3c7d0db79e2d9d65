#!/usr/bin/env bash
# Creates a module proxy for the tags of a repository, as a folder for GOPROXY. The go command reads
# the tags, as proxy.golang.org does, so users will get the same content and checksums.
#
#	serve-modules.sh <repository> <folder> <module@version>...
#
# Prints the URL of the proxy.
set -eu -o pipefail
. scripts/published.sh

repository=$(realpath "$1")
mkdir -p "$2"
proxy=$(realpath "$2")
shift 2
(
	cd "$proxy"
	export GOMODCACHE=$proxy/modules GOFLAGS=-modcacherw GOPRIVATE=$module GOWORK=off
	export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="url.file://$repository.insteadOf" GIT_CONFIG_VALUE_0=https://$module
	go mod download "$@"
	# go mod download does not write the list of versions that a proxy needs.
	for path in "${@%@*}"; do
		(cd "modules/cache/download/$path/@v" && ls -- *.zip | sed 's/\.zip$//' > list)
	done
)
echo "file://$proxy/modules/cache/download"
