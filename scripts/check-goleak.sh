#!/usr/bin/env bash
# Fails if a package with tests does not check for leaked goroutines. The examples leak some on
# purpose.
#
#	check-goleak.sh
set -eu -o pipefail

for package in $(git ls-files -co --exclude-standard '*_test.go' | xargs dirname | sort -u | grep -v '^examples/leaks'); do
	if ! grep -q 'goleak.VerifyTestMain' "$package"/*_test.go; then
		echo "$package: no goleak in its TestMain"
		exit 1
	fi
done
