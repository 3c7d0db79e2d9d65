#!/usr/bin/env bash
# Builds and tests the published collector components with the newest collector modules, in copies,
# so that a breaking change is known before a release depends on it.
#
#	drift.sh
# Fails if docs/own-collector.md does not name the newest available versions.
set -eu -o pipefail
. scripts/published.sh

page=$PWD/docs/own-collector.md
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp -r . "$folder/copy"
cd "$folder/copy"
collector=go.opentelemetry.io/collector

# newest prints the newest version of a collector module.
newest() { go list -m -f '{{.Version}}' "$collector/$1@latest"; }

stable=$(newest component)
unstable=$(newest component/componenttest)
grep -qF "newest, tested by \`make drift\` | $unstable, $stable |" "$page" || {
	echo "docs/own-collector.md does not name the newest collector, $unstable and $stable"
	exit 1
}
for path in $(published_modules); do
	required=$(go list -C "$path" -m -f '{{if not .Indirect}}{{.Path}}@latest{{end}}' all | grep "^$collector/" || true)
	[ -n "$required" ] || continue
	echo "== $path with $unstable, $stable"
	# shellcheck disable=SC2086 # one argument per module
	go -C "$path" get $required
	go -C "$path" mod tidy
	go -C "$path" vet ./...
	go -C "$path" test ./...
done
