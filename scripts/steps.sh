# Steps of CI: each is timed and its output is shown when it ends, with a summary at the end. To be
# sourced by a bash script with set -eu -o pipefail.
#
#	step <command>...             runs one command, and ends the lane if it fails
#	side_by_side <function>...    runs functions in parallel, each a lane of steps
#	give_way                      lowers the priority of the lane
#
# After a failure no other step starts. Running steps are waited for, so that every process ends. The
# same applies to SIGTERM.

steps=$(mktemp -d)
trap 'finish_steps $?' EXIT
trap 'touch "$steps/failed"; wait; exit 143' TERM
SECONDS=0

step() {
	if [ -e "$steps/failed" ]; then exit 1; fi
	local log cpu status=0 began=$SECONDS
	log=$(mktemp "$steps/log.XXXXXX")
	echo "-- $*"
	TIMEFORMAT='%U %S'
	{ time "$@" < /dev/null > "$log" 2>&1; } 2> "$log.cpu" || status=$?
	cpu=$(awk '{printf "%.0f", $1 + $2}' "$log.cpu")
	# The output of steps must not interleave.
	until mkdir "$steps/printing" 2> /dev/null; do sleep 0.1; done
	if [ $status -ne 0 ]; then
		touch "$steps/failed"
		echo "$*: status $status" >> "$steps/failures"
	fi
	printf '%5d s  %5d s  %s\n' $((SECONDS - began)) "$cpu" "$*" >> "$steps/table"
	grep -E '^(ok|FAIL|--- FAIL|panic:)' "$log" >> "$steps/tests" || true
	echo "== $*"
	cat "$log"
	echo "== $*: $((SECONDS - began)) s, status $status"
	rmdir "$steps/printing"
	if [ $status -ne 0 ]; then exit 1; fi
}

give_way() { renice -n 10 -p "$BASHPID" > /dev/null; }

side_by_side() {
	local lane pid pids=() status=0
	for lane in "$@"; do
		(
			trap - EXIT TERM
			"$lane"
		) &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid" || status=1; done
	return $status
}

finish_steps() {
	local status=$1
	if [ -e "$steps/tests" ]; then
		printf '\n== what was tested\n'
		cat "$steps/tests"
	fi
	printf '\n== what each step took\n%7s  %7s\n' time CPU
	cat "$steps/table" 2> /dev/null || true
	printf '%5d s           in all\n' $SECONDS
	if [ -e "$steps/failures" ]; then
		sed 's/^/FAILED: /' "$steps/failures"
	elif [ "$status" -eq 0 ]; then
		echo "all passed"
	fi
	rm -rf "$steps"
}
