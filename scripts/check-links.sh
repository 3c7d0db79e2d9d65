#!/usr/bin/env bash
# Fails if a page links to a file or to a heading that does not exist. It checks relative links in
# Markdown, and links to the main branch of this repository in any text file. It needs no network.
#
#	check-links.sh
set -eu -o pipefail

files=$(git ls-files -co --exclude-standard)
existing=()
while read -r file; do
	if [ -f "$file" ]; then existing+=("$file"); fi
done < <(git ls-files -co --exclude-standard -- '*.md' ':!*/testdata/*'; git grep -lI 'otel-goroutine/\(blob\|tree\)/main/' -- ':!*.md' ':!*/testdata/*')

awk -v files="$files" '
	BEGIN {
		home = "https://github.com/otel-goroutine/otel-goroutine/(blob|tree)/main/?"
		exists[""] = 1
		n = split(files, file, "\n")
		for (i = 1; i <= n; i++) for (path = file[i]; path != ""; path = parent(path)) exists[path] = 1
	}
	function parent(path) { return sub(/\/[^\/]*$/, "", path) ? path : "" }
	# resolve("docs", "../a/./b") is "a/b".
	function resolve(base, path,    part, n, i, out) {
		n = split(base "/" path, part, "/")
		for (i = 1; i <= n; i++)
			if (part[i] == "..") out = parent(out)
			else if (part[i] != "" && part[i] != ".") out = out == "" ? part[i] : out "/" part[i]
		return out
	}
	# slug("`a` and [b](c)") is "a-and-b", as GitHub makes it.
	function slug(heading) {
		gsub(/\]\([^)]*\)/, "", heading)
		heading = tolower(heading)
		gsub(/[][`*.,:;!?()<>"\047\/+=&$%@#{}|\\^~]/, "", heading)
		gsub(/ /, "-", heading)
		return heading
	}
	# note records the link of the current line for END, where all headings are known.
	function note(base, target) {
		links++
		where[links] = FILENAME ":" FNR
		shown[links] = target
		anchor[links] = target ~ /#/ ? substr(target, index(target, "#") + 1) : ""
		sub(/#.*/, "", target)
		linked[links] = target == "" ? FILENAME : resolve(base, target)
	}
	FNR == 1 { fenced = 0 }
	FILENAME ~ /\.md$/ && /^ *```/ { fenced = !fenced; next }
	FILENAME ~ /\.md$/ && !fenced {
		if (/^#+ /) {
			name = $0; sub(/^#+ +/, "", name); name = FILENAME "#" slug(name)
			headings[headed[name]++ ? name "-" headed[name] - 1 : name] = 1
		}
		for (rest = $0; match(rest, /\]\([^) ]+\)|^\[[^]]+\]: [^ ]+/); rest = substr(rest, RSTART + RLENGTH)) {
			target = substr(rest, RSTART, RLENGTH)
			sub(/^\]\(|^\[[^]]+\]: /, "", target); sub(/\)$/, "", target)
			if (target !~ /^([a-z]+:|<)/) note(parent(FILENAME), target)
		}
	}
	{
		for (rest = $0; match(rest, home "[A-Za-z0-9_.\\/#-]+"); rest = substr(rest, RSTART + RLENGTH)) {
			target = substr(rest, RSTART, RLENGTH)
			sub(home, "", target); sub(/[.\/]+$/, "", target)
			note("", target)
		}
	}
	END {
		for (i = 1; i <= links; i++) {
			to = linked[i]
			if (anchor[i] != "" && (to "/README.md") in exists) to = to "/README.md"
			if (!(to in exists)) print where[i] ": " shown[i] ": no such file"
			else if (anchor[i] != "" && to ~ /\.md$/ && !(to "#" anchor[i] in headings)) print where[i] ": " shown[i] ": no such heading"
			else continue
			failed = 1
		}
		exit failed
	}
' "${existing[@]}"
