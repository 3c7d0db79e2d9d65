#!/usr/bin/env bash
# Fails if the go.mod of a module is not tidy. It skips the tool modules of Prometheus and of other
# servers, since reading all their modules takes a minute; their builds check them.
#
#	check-modules.sh <module>...
set -eu -o pipefail

for module in "$@"; do
	case $module in */prometheus | */servers) continue ;; esac
	echo "== tidy $module"
	go -C "$module" mod tidy -diff
done
