#!/usr/bin/env bash
# Runs the leaky example service, and finds its leaks with goroutine-leaks.
#
#	demo.sh <folder of built programs>
# On a terminal it serves the page of findings until Ctrl-C. Otherwise it ends after the watch, and
# writes the page to a file; its status is 1 if a leak is missing or anything healthy is flagged.
set -eu -o pipefail

bin=$1
# The duration of the watch, which scales the thresholds.
watch=30s
# The pool of the service fills for ten seconds, and looks like a leak until then. So the service
# starts first, and warms up while the command is built.
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
	# Ctrl-C ends the command, and then the service ends.
	trap : INT
	echo "goroutine-leaks serve $pprof --for $watch"
	"$bin/goroutine-leaks" serve "$pprof" --for "$watch"
	exit
fi

echo "goroutine-leaks $pprof --for $watch --html $bin/demo.html"
"$bin/goroutine-leaks" "$pprof" --for "$watch" --html "$bin/demo.html" | tee "$work/said"
# places has one line per leak: the places where its goroutines are.
places=$(awk '/^(SUSPECTED|PROBABLE|CONFIRMED): /{ if (n++) print "" } /^  (where|entry|also) /{ printf "%s ", $0 } END { if (n) print "" }' "$work/said")
for function in $planted; do
	if ! grep -qF "$function " <<< "$places"; then
		echo "missing: $function"
		exit 1
	fi
done
if grep -vF "$(tr ' ' '\n' <<< "$planted")" <<< "$places"; then
	echo "healthy goroutines flagged: see above; planted leaks: $planted"
	exit 1
fi
echo "4 of 4 planted leaks found, nothing healthy flagged. The page: $bin/demo.html"
