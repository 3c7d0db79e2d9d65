#!/usr/bin/env bash
# Runs golangci-lint in modules.
#
#	lint-modules.sh <golangci-lint> <module>...
set -eu -o pipefail

linter=$1
config=$PWD/.golangci.yml
shift
for module in "$@"; do
	echo "== lint $module"
	(cd "$module" && "$linter" run --config "$config" ./...)
done
