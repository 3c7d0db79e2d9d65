#!/usr/bin/env bash
# Runs the leaky example service and the collector, and queries the collector's page for findings.
#
#	demo-collector.sh <folder of built programs>
# With DEMO_CAPTURE=profile the collector reads goroutine profiles, as for a service built with Go
# before 1.23. On a terminal it serves the page until Ctrl-C. Otherwise it ends when all planted leaks
# are found; its status is 1 if a leak is missing or anything healthy was flagged.
set -eu -o pipefail

bin=$1
# The required severity of planted leaks. Counts alone are weaker evidence.
certainty=probable
if [ "${DEMO_CAPTURE-}" = profile ]; then certainty=suspected; fi
# The timeout, in seconds. It usually takes 40, or 90 from counts alone.
patience=150
# How long no other finding may appear then, in seconds: the mean lifetime of the service's sessions,
# the healthy goroutines that look most like a leak.
settle=15

. scripts/leaky.sh
echo "Starting the collector, which scrapes $pprof every second..."
LEAKY_PPROF=$pprof PAGE_ENDPOINT=127.0.0.1:0 "$bin/otelcol-goroutine" --config examples/leaky/collector.yaml 2> "$work/log" &
collector=$!

# alive fails and prints the log if the collector has exited.
alive() {
	kill -0 "$collector" 2> /dev/null || { cat "$work/log"; echo "the collector has exited"; return 1; }
}

until page=http://$(grep -sF 'Serving the page' "$work/log" | grep -oE '127\.0\.0\.1:[0-9]+'); do
	alive
	sleep 0.1
done
echo "Its page is at $page. The first leaks are found after 20 s, from counts alone after 70."

# ask prints a line for each leak that matches a query, including former ones: ID, severity, evidence.
ask() {
	curl -sS --fail --write-out '\n' "$page/api/findings?status=all&$1" | sed 's/{"id":/\n&/g' |
		sed -nE 's/^\{"id":"([^"]+)".*"severity":"([^"]+)","evidence":"([^"]+)".*/\1 \2: \3/p'
}

SECONDS=0
complete=
: > "$work/told"
until [ -n "$complete" ] && [ $((SECONDS - complete)) -ge $settle ]; do
	sleep 1
	alive
	ask "" > "$work/all"
	# Print a leak when it is found, and when its severity rises.
	while read -r id severity evidence; do
		if grep -q "^$id $severity" "$work/told"; then continue; fi
		echo "$id $severity" >> "$work/told"
		printf '%3d s  %s %s\n' "$SECONDS" "$severity" "$evidence"
	done < "$work/all"
	missing=
	for function in $planted; do
		if [ -z "$(ask "q=$function&severity=$certainty")" ]; then missing+=" $function"; fi
	done
	# Two functions may be one leak.
	for function in $planted; do ask "q=$function"; done | cut -d ' ' -f 1 > "$work/planted"
	healthy=$(grep -vFf "$work/planted" "$work/all") || true
	if [ -z "$missing" ]; then complete=${complete:-$SECONDS}; fi
	if [ -n "$healthy" ] || [ "$SECONDS" -ge "$patience" ]; then break; fi
done
if [ -n "$healthy" ]; then
	echo "healthy goroutines flagged: $healthy"
	exit 1
elif [ -n "$missing" ]; then
	echo "not $certainty after $patience s:$missing"
	exit 1
fi
echo "4 of 4 planted leaks found, nothing healthy flagged."

if [ -t 1 ]; then
	echo "The page is at $page until Ctrl-C."
	trap : INT
	wait "$collector" || true
fi
