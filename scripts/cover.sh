#!/usr/bin/env bash
# Shows the test coverage of each module, and fails if one is too low.
#
#	cover.sh <minimum per cent> <pattern of files to ignore> <module>...
# The tests of two modules run at a time, since many tests wait, and without the race detector, which
# makes coverage take five times as long.
set -eu -o pipefail

least=$1
uncounted=$2
shift 2

export folder=$PWD/coverage
mkdir -p "$folder"
profile_of() { echo "$folder/module$(tr -d . <<< "$1" | tr / -).out"; }
export -f profile_of

printf '%s\n' "$@" | xargs -P 2 -I {} bash -c '
	profile=$(profile_of "$0")
	go -C "$0" test -coverpkg ./... -coverprofile "$profile" ./... > "$profile.txt" ||
		{ grep -v ^ok "$profile.txt"; exit 1; }' {}

low=
for module in "$@"; do
	profile=$(profile_of "$module")
	grep -vE "$uncounted" "$profile" > "$profile.own"
	percent=$(go -C "$module" tool cover -func "$profile.own" | awk '/^total:/ {print $3 + 0}')
	printf '%5.1f%%  %s\n' "$percent" "$module"
	if awk "BEGIN {exit !($percent < $least)}"; then low="$low $module"; fi
done
if [ -n "$low" ]; then
	echo "below $least%:$low"
	exit 1
fi
