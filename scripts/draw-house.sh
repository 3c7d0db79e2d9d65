#!/usr/bin/env bash
# Prints docs/house.md: a graph of which package imports which, and what each of them does.
#
#	draw-house.sh
#
# The packages of a shell are one node. Packages for tests, generated ones and internal/telemetry,
# which nearly all import, are omitted from the graph, as are imports that follow from others.
set -eu -o pipefail
. scripts/published.sh

# imports prints a line for each import of one package by another.
imports() {
	local folder
	for folder in $(published_modules); do
		go -C "$folder" list -f '{{$p := .ImportPath}}{{range .Imports}}{{$p}} {{.}}{{"\n"}}{{end}}' ./...
	done | sed -nE "s,^$module/([^ ]+) $module/([^ ]+)\$,\1 \2,p"
}

# synopses prints the first sentence of the documentation of each package.
synopses() {
	local folder
	for folder in $(published_modules); do
		go -C "$folder" list -f '{{.ImportPath}} {{.Doc}}' ./...
	done | sed -nE "s,^$module/([^ ]+) (.+)\$,\1 \2,p" | grep -vE '^\S+/(metadata|metadatatest|genstandard) |^docs/|^[^i]\S*/internal/|^\S+test '
}

cat << 'END'
# The house

Rounded boxes are shells: they do I/O, know OpenTelemetry and start goroutines. Rectangles are packages
of the core, which do none of that. An arrow points to the imported package; imports that follow from
others are omitted. `make house` draws this page from the imports, and `make lint` fails if it is not
current, or if a package imports one that it must not know (`depguard` in `.golangci.yml`).

```mermaid
graph TD
END
imports | awk '
	function node(path) {
		if (path ~ /\/internal\/metadata|internal\/telemetry|test$|^docs\//) return ""
		if (path ~ /^internal\/collector/) return "internal/collector"
		if (path !~ /^internal\//) sub(/\/internal\/.*/, "", path)
		return path
	}
	{
		from = node($1); to = node($2)
		if (from != "" && to != "" && from != to) { edge[from, to] = 1; nodes[from] = nodes[to] = 1 }
	}
	# reaches reports whether there is a path of more than one edge.
	function reaches(from, to, depth,    via) {
		for (via in nodes) if ((from, via) in edge) {
			if (via == to) { if (depth > 0) return 1 }
			else if (reaches(via, to, depth + 1)) return 1
		}
		return 0
	}
	function id(path) { gsub(/[^a-z]/, "_", path); return path }
	function label(path) { sub(/^internal\//, "", path); return path }
	END {
		for (n in nodes) print "\t" id(n) (n ~ /^internal\// && n != "internal/collector" ? "[" label(n) "]" : "(" label(n) ")") | "LC_ALL=C sort"
		close("LC_ALL=C sort")
		for (pair in edge) { split(pair, e, SUBSEP); if (!reaches(e[1], e[2], 0)) print "\t" id(e[1]) " --> " id(e[2]) | "LC_ALL=C sort" }
	}'
printf '```\n\n| package | |\n|---|---|\n'
synopses | LC_ALL=C sort | awk '{
	path = $1
	sub(/^[^ ]+ ((Package|Command) [^ ]+ )?/, "")
	print "| [" path "](../" path ") | " $0 " |"
}'
