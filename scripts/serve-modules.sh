#!/usr/bin/env bash
# Makes a module proxy of the tags of a repository, as a folder to name in GOPROXY. The go
# command itself reads the tags, as proxy.golang.org does, so content and checksums are those
# that users will get.
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
	# go mod download writes no list of versions, which a proxy has.
	for path in "${@%@*}"; do
		(cd "modules/cache/download/$path/@v" && ls -- *.zip | sed 's/\.zip$//' > list)
	done
)
echo "file://$proxy/modules/cache/download"
