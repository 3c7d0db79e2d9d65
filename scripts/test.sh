#!/usr/bin/env bash
# Runs the tests of modules with the race detector, two modules at a time, since many tests wait. The
# output of a module is shown when it ends.
#
#	test.sh <module>...
set -eu -o pipefail

printf '%s\n' "$@" | xargs -P 2 -I {} bash -c '
	output=$(go -C "$0" test -race ./... 2>&1) && status=0 || status=1
	printf "== %s\n%s\n" "$0" "$output"
	exit $status' {}
