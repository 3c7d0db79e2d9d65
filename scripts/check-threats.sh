#!/usr/bin/env bash
# Fails if the threat model in SECURITY.md names a test that does not exist.
#
#	check-threats.sh
set -eu -o pipefail

tests=$(sed -n '/^## Threat model$/,/^## What pprof/p' SECURITY.md | awk -F ' [|] ' '/^\|/ {print $4}' | grep -oE '`[^`]+`' | tr -d '`')
[ -n "$tests" ] || {
	echo "SECURITY.md: the threat model names no test"
	exit 1
}
while read -r test; do
	case $test in
	make\ *) grep -q "^${test#make }:" Makefile ;;
	Fuzz*) git grep -q "^func $test(" -- '*_test.go' ;;
	*/*) [ -d "$test" ] ;;
	*) [ -n "$(git ls-files "*/$test")" ] ;;
	esac || {
		echo "SECURITY.md: $test does not exist"
		exit 1
	}
done <<< "$tests"
