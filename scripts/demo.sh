#!/usr/bin/env bash
# Runs the leaky example service, and has the command find its leaks.
#
#	demo.sh <folder of built programs>
#
# On a terminal the page of what is found is served until Ctrl-C. Elsewhere the demo ends
# when it is found, with the page in a file; its status is 1 if a leak is missing, or if
# anything else is called one.
set -eu -o pipefail

bin=$1
# How long is looked, by which the thresholds are scaled.
watch=30s
# The pool of the service fills for ten seconds, and whoever watches it meanwhile cannot know that it
# will end. So the service starts first, and warms up while the command is built.
warm=12

. scripts/leaky.sh
SECONDS=0
echo "Building goroutine-leaks..."
go -C cmd/goroutine-leaks build -o "$bin/goroutine-leaks" .
if [ "$SECONDS" -lt "$warm" ]; then
	echo "Waiting until the service has warmed up..."
	sleep $((warm - SECONDS))
fi

if [ -t 1 ]; then
	# The service ends after the command, which Ctrl-C ends.
	trap : INT
	echo "goroutine-leaks serve $pprof --for $watch"
	"$bin/goroutine-leaks" serve "$pprof" --for "$watch"
	exit
fi

echo "goroutine-leaks $pprof --for $watch --html $bin/demo.html"
"$bin/goroutine-leaks" "$pprof" --for "$watch" --html "$bin/demo.html" | tee "$work/said"
# places are where each leak stands: a line for each.
places=$(awk '/^(SUSPECTED|PROBABLE|CONFIRMED): /{ if (n++) print "" } /^  (stands|entry|and) /{ printf "%s ", $0 } END { if (n) print "" }' "$work/said")
for function in $planted; do
	if ! grep -qF "$function " <<< "$places"; then
		echo "missing: $function"
		exit 1
	fi
done
if grep -vF "$(tr ' ' '\n' <<< "$planted")" <<< "$places"; then
	echo "healthy, and called a leak: the above; planted are: $planted"
	exit 1
fi
echo "4 of 4 planted leaks found, nothing healthy flagged. The page: $bin/demo.html"
