#!/usr/bin/env bash
# Runs the leaky example service and the collector, and asks the collector's page for what is found.
#
#	demo-collector.sh <folder of built programs>
#
# DEMO_CAPTURE=profile has the collector read goroutine profiles, as of a service built with Go before
# 1.23. On a terminal the page is served until Ctrl-C. Elsewhere the demo ends when all that is planted
# is found; its status is 1 if a leak is missing, or if anything else was ever called one.
set -eu -o pipefail

bin=$1
# How sure the collector must be of what is planted: counts alone are no proof.
certainty=probable
if [ "${DEMO_CAPTURE-}" = profile ]; then certainty=suspected; fi
# How long that may take, in seconds: 40, or 90 from counts alone.
patience=150
# For how long nothing else may come then, in seconds: as long as the sessions of the service last on
# average, the healthy goroutines that are most like a leak.
settle=15

. scripts/leaky.sh
echo "Starting the collector, which looks at $pprof every second..."
LEAKY_PPROF=$pprof PAGE_ENDPOINT=127.0.0.1:0 "$bin/otelcol-goroutine" --config examples/leaky/collector.yaml 2> "$work/log" &
collector=$!

# alive fails, and shows why, if the collector has ended.
alive() {
	kill -0 "$collector" 2> /dev/null || { cat "$work/log"; echo "the collector has ended"; return 1; }
}

until page=http://$(grep -sF 'The page is served' "$work/log" | grep -oE '127\.0\.0\.1:[0-9]+'); do
	alive
	sleep 0.1
done
echo "Its page is at $page. The first leaks are found after 20 s, from counts alone after 70."

# ask writes a line for each leak of a query, those that are over included: its ID, severity and evidence.
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
	# Told when it is found, and when it is surer.
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
	echo "healthy, and called a leak: $healthy"
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
