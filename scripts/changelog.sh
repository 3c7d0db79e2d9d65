#!/usr/bin/env bash
# Checks, prints and releases CHANGELOG.md, in the format of keepachangelog.com.
#
#	changelog.sh check                     fails if it is not well-formed
#	changelog.sh notes <version>           prints the entries of a version
#	changelog.sh release <version> <date>  turns the unreleased entries into those of a version
set -eu -o pipefail

changelog=CHANGELOG.md
home=https://github.com/otel-goroutine/otel-goroutine

# check prints the first invalid line.
check() {
	awk -v home="$home" '
		function wrong(why) { printf "CHANGELOG.md:%d: %s\n", NR, why; failed = 1; exit 1 }
		function number(version, part) { split(version, part, "."); return part[1] * 1e6 + part[2] * 1e3 + part[3] }
		/^##+ / || /^\[/ { if (section != "" && !entries) wrong(section " above is empty") }
		/^## / {
			if ($0 == "## [Unreleased]") { if (versions++) wrong("Unreleased is not the first version"); }
			else if (match($0, /^## \[[0-9]+\.[0-9]+\.[0-9]+\] - [0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]$/)) {
				version = $2; gsub(/[\[\]]/, "", version)
				if (!versions++) wrong("there is no Unreleased before " version)
				if (last != "" && number(version) > number(last)) wrong(version " is newer than " last " above it")
				if (date != "" && $4 > date) wrong(version " is of a later day than the version above it")
				last = version; date = $4; linked[version] = NR
			} else wrong("not a heading of a version: ## [0.1.0] - 2006-01-02")
			section = ""; split("", sections); next
		}
		/^### / {
			if ($0 !~ /^### (Added|Changed|Deprecated|Removed|Fixed|Security)$/) wrong("not a kind of change: Added, Changed, Deprecated, Removed, Fixed, Security")
			if (sections[$2]++) wrong("a second " $2 " of one version")
			section = $2; entries = 0; next
		}
		/^- / {
			if (section == "") wrong("an entry without a kind of change")
			if (seen[$0]++) wrong("this entry stands here twice")
			entries++; next
		}
		/^\[[^]]+\]: / {
			version = substr($1, 2, length($1) - 3)
			if (version != "Unreleased" && !(version in linked)) wrong("a link to a version that is not here")
			if (index($2, home) != 1) wrong("a link that leads elsewhere than to " home)
			delete linked[version]; next
		}
		/^  [^ ]/ || /^$/ { next }
		versions { wrong("neither a heading, an entry, nor the continuation of one") }
		END { if (!failed) for (version in linked) wrong("no link for " version) }
	' $changelog
}

notes() {
	awk -v heading="## [${1#v}]" 'index($0, heading) == 1 {show = 1; next} /^## / || /^\[/ {show = 0} show' $changelog | sed -e '/./,$!d'
}

release() {
	local version=${1#v} last link
	if [ -z "$(notes Unreleased)" ]; then
		echo "CHANGELOG.md has no unreleased entry"
		exit 1
	fi
	last=$(sed -nE 's,^\[Unreleased\]: .*/compare/v(.*)\.\.\.HEAD$,\1,p' $changelog)
	link=$home/releases/tag/v$version
	if [ -n "$last" ]; then link=$home/compare/v$last...v$version; fi
	sed -i -E \
		-e "s,^## \[Unreleased\]\$,&\n\n## [$version] - $2," \
		-e "s,^\[Unreleased\]: .*,[Unreleased]: $home/compare/v$version...HEAD\n[$version]: $link," $changelog
}

"$@"
