#!/usr/bin/env bash
# Runs every fuzz target of the repository sequentially.
#
#	fuzz.sh <time for each>
# Failing inputs are saved as seeds in testdata/fuzz. Up to Go 1.26 a run may fail at its end without
# a failing input (golang/go#75804).
set -eu -o pipefail

targets=$(git ls-files -co --exclude-standard '*_test.go' | xargs grep -HoE '^func Fuzz[A-Za-z0-9]+')
for target in ${targets//func /}; do
	package=$(dirname "${target%%:*}")
	name=${target##*:}
	echo "== $package $name"
	output=$(go -C "$package" test -run '^$' -fuzz "^$name\$" -fuzztime "$1" -fuzzminimizetime 20x . 2>&1) ||
		{ grep -qx '    context deadline exceeded' <<< "$output" && ! grep -q 'Failing input' <<< "$output"; } ||
		{ echo "$output"; exit 1; }
	grep '^fuzz: elapsed: ' <<< "$output" | tail -n 1
done
