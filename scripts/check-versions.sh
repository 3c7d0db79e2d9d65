#!/usr/bin/env bash
# Checks that every module is in versions.yaml, that every file with the version has that version,
# and that users can get all dependencies of the published modules.
#
#	check-versions.sh <multimod>
set -eu -o pipefail
. scripts/published.sh

fail() {
	echo "$1"
	exit 1
}

said=$("$1" verify --versioning-file versions.yaml 2>&1) || fail "$said"

version=$(published_version)
grep -qx "func Version() string { return \"${version#v}\" }" instrument/version.go || fail "instrument/version.go: not the version in versions.yaml, $version"
for distribution in builder-config*.yaml; do
	grep -qx "  version: ${version#v}" "$distribution" || fail "$distribution: dist::version is not that in versions.yaml, $version"
done
if git ls-files '*.md' | grep -vx CHANGELOG.md | xargs grep -nE "$module[^ ]*[ @]v[0-9]" | grep -vE "[ @]$version\b"; then
	fail "these lines do not name the version in versions.yaml, $version"
fi

published=$(for folder in $(published_modules); do module_path "$folder"; done)
for folder in $(published_modules); do
	own_modules "$folder/go.mod" | grep -vxF "$published" && fail "$folder/go.mod requires a module that is not published"
	# Go ignores replace directives of a dependency, so those of other projects' modules would apply
	# only here. The release drops ours.
	grep -E '^(replace )?\s*\S+ .*=>' "$folder/go.mod" | grep -vE "^(replace )?\s*$module[^ ]* => \.\.?/" &&
		fail "$folder/go.mod replaces a module, which does not apply to users"
	if grep -E '^exclude' "$folder/go.mod"; then fail "$folder/go.mod excludes a version, which does not apply to users"; fi
done
