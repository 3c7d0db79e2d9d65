#!/usr/bin/env bash
# Fails if Go files are not formatted.
#
#	check-format.sh <gofumpt> <pattern of files to skip>
set -eu -o pipefail

unformatted=$("$1" -l $(git ls-files -co --exclude-standard '*.go' | grep -vE "$2"))
if [ -n "$unformatted" ]; then
	echo "not formatted (make format):" $unformatted
	exit 1
fi
