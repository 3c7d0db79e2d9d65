#!/usr/bin/env bash
# Measures the figures in the documentation, each against its peer in the same run.
#
#	bench.sh <time for each benchmark, as go test -benchtime>
set -eu -o pipefail

time=$1

# bench <module> <package> <benchmarks> <time>
bench() { go -C "$1" test -run '^$' -bench "$3" -benchtime "$4" "$2" | grep -E 'Benchmark|ratio|FAIL'; }

for package in profile exectrace census growth detect; do
	echo "== internal/$package"
	bench . ./internal/$package . "$time"
done
echo "== internal/page: a day of 10,000 instances, and their pages"
bench . ./internal/page . 1x
echo "== instrument"
bench . ./instrument Sample 3x
bench . ./instrument Tracing "$time"
bench . ./instrument 'Memory|Pause|Idle' "$time"
bench . ./instrument Origins 10x
bench . ./instrument Server 1x
go test -run 'FewModules|GrowsLittle' -v ./instrument | grep -E 'modules|beyond|FAIL'
echo "== receiver/goroutinereceiver"
bench receiver/goroutinereceiver . ChangeInEffect 1x
bench receiver/goroutinereceiver . TracedServer/5000 4x
bench receiver/goroutinereceiver ./internal/targetlist . 1x
echo "== processor/leakdetect"
bench processor/leakdetect . . "$time"
echo "== cmd/goroutine-leaks: the default watch at 100,000 goroutines"
bench cmd/goroutine-leaks . . 1x
echo "== internal/finding: versions that close a leak, and memory of leaked goroutines"
go -C bench run ./closing -cases 1000
go -C bench run ./held
echo "== processor/leakdetect: up to a million streams"
go -C bench run ./streams
