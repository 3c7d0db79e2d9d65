#!/usr/bin/env bash
# Checks the page in Chromium, with the packages in e2e/page/package-lock.json.
#
#	page-check.sh [<folder>]    also writes the pictures of the documentation
set -eu -o pipefail

scripts/install.sh "the check of the page" chromium node=nodejs npm
(cd e2e/page && npm ci --silent --no-audit --no-fund --ignore-scripts)
go -C e2e test -count=1 -timeout 5m -v ./page -pictures "${1-}" |
	sed -nE 's/^ +page_test.go:[0-9]+: (ok|busy|FAIL|  )/\1/p; t; /^(---|ok|FAIL)/p'
