#!/usr/bin/env bash
# Fails if the go.mod of a module is not tidy. It skips the tool module of Prometheus, since reading
# all its modules takes a minute; its build checks it.
#
#	check-modules.sh <module>...
set -eu -o pipefail

for module in "$@"; do
	case $module in */prometheus) continue ;; esac
	echo "== tidy $module"
	go -C "$module" mod tidy -diff
done
