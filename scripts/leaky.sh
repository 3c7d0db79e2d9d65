# Starts the example service for the demos. To be sourced by a bash script with set -eu -o pipefail
# that sets bin, the folder of built programs.
# The service ends with the script. Sets
#
#	service   its process
#	pprof     host:port of its profiles
#	planted   the functions of examples/leaky/leaks.go that leak

planted="main.waitForReply main.askSlowBackend main.pollForever main.writeAudit"

echo "Building the example service, and starting it on loopback..."
go -C examples/leaky build -o "$bin/leaky" .
work=$(mktemp -d)
"$bin/leaky" -listen 127.0.0.1:0 -for 15m > "$work/leaky" &
service=$!
trap 'kill $(jobs -p) 2> /dev/null || true; rm -rf "$work"' EXIT
until pprof=$(grep -soE '127\.0\.0\.1:[0-9]+' "$work/leaky"); do
	kill -0 "$service"
	sleep 0.1
done
