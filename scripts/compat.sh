#!/usr/bin/env bash
# Adds instrument to a service with OpenTelemetry, with each combination of versions in the table of
# instrument/README.md, and fails if that changes a version of the service, if the service does not
# build, or if it does not report.
#
#	compat.sh
#
# The tests of instrument and auto run with the lowest Go.
set -eu -o pipefail

root=$PWD
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
module=github.com/otel-goroutine/otel-goroutine
otel=go.opentelemetry.io

fail() {
	echo "Go $go, otel $api: $1"
	exit 1
}

# versions prints the go line of a module, and its OpenTelemetry requirements.
versions() { grep -E "^go |$otel/" go.mod | grep -v indirect | sed 's/^\s*//'; }

# add creates the service of a row, and adds instrument to it.
add() {
	mkdir "$folder/$row" && cd "$folder/$row"
	cp "$root/instrument/testdata/compat/main.go" .
	go mod init example.com/service 2> said
	go mod edit -go=1.24.0 -require $otel/otel@v$api -require $otel/otel/sdk/metric@v$api -require $otel/contrib/bridges/otelslog@v$bridge
	go mod tidy 2> said || fail "$(cat said)"
	versions > before
	cp -r "$root"/instrument/testdata/compat/* .
	go mod edit -replace $module="$root" -replace $module/instrument/auto="$root/instrument/auto"
	go mod edit -require $otel/contrib/instrumentation/runtime@v$contrib -require $otel/contrib/exporters/autoexport@v$contrib
	go mod tidy 2> said || fail "$(cat said)"
	versions | diff before - || fail "versions of the service changed"
	go build -o service . 2> said || fail "$(cat said)"
	go build -o automatic ./auto 2> said || fail "$(cat said)"
}

# run runs the service of a row in three ways: with a MeterProvider, without one, and with only the
# import of auto.
run() {
	cd "$folder/$row"
	./service > names 2> said || fail "$(cat said)"
	for name in goroutine.stack.count goroutine.stack.aged.count go.goroutine.count; do
		grep -qx $name names || fail "$name is not reported"
	done
	./service unset > names 2> said || fail "$(cat said)"
	[ "$(grep -c 'no MeterProvider has been set' said)" = 1 ] || fail "a missing MeterProvider is not reported"
	export OTEL_METRICS_EXPORTER=console OTEL_METRIC_EXPORT_INTERVAL=500
	# It exits when its output is closed.
	{ ./automatic 2> said || true; } | grep -m 1 -q '"Name":"goroutine.stack.count"' || fail "auto does not report: $(cat said)"
	grep -q 'instrument/auto: reporting the goroutines of service "unknown_service:automatic" every 500ms to standard output' said ||
		fail "auto does not log where it reports to: $(cat said)"
}

rows=$(sed -nE 's/^\| ([0-9.]+) \| ([0-9.]+) \| ([0-9.]+) \| ([0-9.]+) \|$/\1 \2 \3 \4/p' instrument/README.md)
read -r lowest api _ <<< "$rows"
if [ "$(grep -cE "^go $lowest\$|$otel/otel v$api\$" go.mod)" != 2 ]; then
	echo "the first row of instrument/README.md, Go $lowest and otel $api, is not what go.mod requires"
	exit 1
fi
read -r _ _ contrib bridge <<< "$(tail -n 1 <<< "$rows")"
grep -qx "go get $otel/contrib/exporters/autoexport@v$contrib $otel/contrib/bridges/otelslog@v$bridge" instrument/README.md || {
	echo "instrument/README.md: go get does not name the versions in the last row of the table"
	exit 1
}

pids=()
row=0
while read -r go api contrib bridge; do
	row=$((row + 1))
	export GOTOOLCHAIN=go$go
	echo "== Go $go, otel $api, contrib $contrib, otelslog $bridge"
	(add)
	(run) &
	pids+=($!)
done <<< "$rows"

export GOTOOLCHAIN=go$lowest
echo "== tests with Go $lowest"
go test -short ./instrument
go -C instrument/auto test -short .

status=0
for pid in "${pids[@]}"; do wait "$pid" || status=1; done
exit $status
