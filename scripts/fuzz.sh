#!/usr/bin/env bash
# Runs every fuzz target of the repository, as many at a time as there are CPUs, with one worker
# each. The output of a target is shown when it ends.
#
#	fuzz.sh <time for each>
# Failing inputs are saved as seeds in testdata/fuzz. Up to Go 1.26 a run may fail at its end without
# a failing input (golang/go#75804).
set -eu -o pipefail

git ls-files -co --exclude-standard '*_test.go' | xargs grep -HoE '^func Fuzz[A-Za-z0-9]+' |
	xargs -P "$(getconf _NPROCESSORS_ONLN)" -I {} bash -c '
	package=$(dirname "${1%%:*}")
	name=${1##* }
	output=$(go -C "$package" test -run "^$" -fuzz "^$name\$" -fuzztime "$0" -fuzzminimizetime 20x -parallel 1 . 2>&1) ||
		{ grep -qx "    context deadline exceeded" <<< "$output" && ! grep -q "Failing input" <<< "$output"; } ||
		{ printf "== %s %s\n%s\n" "$package" "$name" "$output"; exit 1; }
	printf "== %s %s\n%s\n" "$package" "$name" "$(grep "^fuzz: elapsed: " <<< "$output" | tail -n 1)"' "$1" {}
