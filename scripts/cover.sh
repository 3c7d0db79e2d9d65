#!/usr/bin/env bash
# Shows the test coverage of each module, and fails if one is too low.
#
#	cover.sh <minimum per cent> <pattern of files to ignore> <module>...
# The tests run without the race detector, which makes coverage take five times as long.
set -eu -o pipefail

least=$1
uncounted=$2
shift 2

folder=$PWD/coverage
mkdir -p "$folder"
low=
for module in "$@"; do
	profile=$folder/module$(tr -d . <<< "$module" | tr / -).out
	go -C "$module" test -coverpkg ./... -coverprofile "$profile" ./... > "$profile.txt" ||
		{ grep -v ^ok "$profile.txt"; exit 1; }
	grep -vE "$uncounted" "$profile" > "$profile.own"
	percent=$(go -C "$module" tool cover -func "$profile.own" | awk '/^total:/ {print $3 + 0}')
	printf '%5.1f%%  %s\n' "$percent" "$module"
	if awk "BEGIN {exit !($percent < $least)}"; then low="$low $module"; fi
done
if [ -n "$low" ]; then
	echo "below $least%:$low"
	exit 1
fi
