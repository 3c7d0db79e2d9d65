#!/usr/bin/env bash
# Fails if generated files are not current. It generates in a copy of the repository, so that a
# concurrent build never reads half a file.
#
#	check-generated.sh <folder of the tools>
set -eu -o pipefail

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -co --exclude-standard -z | tar -c --null -T - | tar -x -C "$copy"

sums() { (cd "$copy" && find . -type f -exec sha256sum {} + | sort -k 2); }

before=$(sums)
make --no-print-directory -C "$copy" generate TOOLS="$1"
after=$(sums)
if [ "$before" != "$after" ]; then
	diff <(echo "$before") <(echo "$after") || true
	echo "generated files are not current (make generate)"
	exit 1
fi
