#!/usr/bin/env bash
# Runs golangci-lint in modules.
#
#	lint-modules.sh <golangci-lint> <module>...
set -eu -o pipefail

linter=$1
config=$PWD/.golangci.yml
shift
status=0
for module in "$@"; do
	echo "== lint $module"
	(cd "$module" && "$linter" run --config "$config" ./...) || status=1
done
exit $status
