#!/usr/bin/env bash
# Prepares a release: makes two commits in a clone, the first for the tags, the second for further
# development, and tests them as a user would. Then it stores them as branch release/<version> and
# prints the commands that publish them. It pushes nothing.
#
#	release.sh <folder of the tools> <version>    prepares the release
#	release.sh <folder of the tools>              tries the next release, and leaves no files
#
# docs/decisions/release.md has the reasons.
set -eu -o pipefail
. scripts/published.sh

tools=$1
root=$PWD
scripts=$root/scripts
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() {
	echo "$1"
	exit 1
}

# next prints the version in versions.yaml, or the next minor version if that is published.
next() {
	local version
	version=$(published_version)
	if [ -n "$(git tag -l "$version")" ]; then
		version=$(echo "$version" | awk -F . '{print $1 "." $2 + 1 ".0"}')
	fi
	echo "$version"
}

# accept fails if the version is not a valid next version.
accept() {
	local latest
	[[ $version =~ ^v[01]\.[0-9]+\.[0-9]+$ ]] || fail "VERSION=$version: not a version such as v0.2.0"
	latest=$(git tag -l 'v*' | sort -V | tail -n 1)
	[ "$(printf '%s\n' "$latest" "$version" | sort -V | tail -n 1)" != "$latest" ] || fail "VERSION=$version: $latest has been released"
	scripts/changelog.sh check
}

# write_version updates every file with the version.
write_version() {
	local number=${version#v} file path
	sed -i -E "s,^( +version:) v.*,\1 $version," versions.yaml
	sed -i -E "s,^(func Version\(\) string \{ return) .*,\1 \"$number\" }," instrument/version.go
	sed -i -E -e "s,^(  version:) .*,\1 $number," -e "s,(gomod: $module[^ ]*) v.*,\1 $version," builder-config*.yaml
	git ls-files '*.md' | grep -vx CHANGELOG.md | xargs sed -i -E "s,($module[^ ]*[ @])v[0-9][0-9A-Za-z.-]*,\1$version,g"
	# What holds only until the modules are published.
	git ls-files '*.md' | xargs sed -i '/^<!-- before the first release -->$/,/^<!-- end -->$/d'
	scripts/changelog.sh release "$version" "$(date -u +%F)"
	for file in $(git ls-files '*go.mod'); do
		for path in $(own_modules "$file"); do go mod edit -require="$path@$version" "$file"; done
	done
}

# commit commits the work tree on top of a commit, and prints the new one.
commit() {
	git add -A
	git commit-tree "$(git write-tree)" -p "$1" -m "$2"
}

# tag_and_serve tags modules at a commit, and adds them to the module proxy.
tag_and_serve() {
	local commit=$1 path versions=()
	shift
	for path in "$@"; do
		git tag -f "$(module_tag "$path" "$version")" "$commit" > /dev/null
		versions+=("$(module_path "$path")@$version")
	done
	scripts/serve-modules.sh . "$folder/proxy" "${versions[@]}" > "$folder/url"
}

# check_interface compares the API of a module with its latest release.
check_interface() {
	local latest base=none output
	latest=$(git tag -l "$(module_tag "$1" 'v*')" | sort -V | tail -n 1)
	if [ -n "$latest" ]; then
		base=${latest##*/}
		scripts/serve-modules.sh . "$folder/proxy" "$(module_path "$1")@$base" > "$folder/url"
	fi
	echo "== API of $(module_path "$1") since $base"
	output=$(cd "$1" && "$tools/gorelease" -base="$base" -version="$version" 2>&1) || fail "$output"
	echo "$output"
	# gorelease accepts any change in a version 0.
	if [[ $version =~ ^v0\.[0-9]+\.[1-9] ]] && grep -q '^## incompatible changes' <<< "$output"; then
		fail "a patch release must not change the API incompatibly"
	fi
}

# release_modules drops the replace directives of the published modules, and completes each
# go.sum with the checksums of the modules of this release, dependencies first.
release_modules() {
	local path replaced
	for path in $(published_modules); do
		for replaced in $(own_modules "$path/go.mod"); do go mod edit -dropreplace="$replaced" "$path/go.mod"; done
		go -C "$path" mod tidy > "$folder/output" 2>&1 || fail "$(cat "$folder/output")"
		git reset -q --soft "$(commit HEAD "$path")"
		check_interface "$path"
		tag_and_serve HEAD "$path"
	done
}

# publish prints the commands that publish the release.
publish() {
	local path tags=()
	for path in $(published_modules); do tags+=("$(module_tag "$path" "$version")"); done
	printf '\n%s is prepared and checked. To publish it:\n\n' "$version"
	echo "git merge --ff-only release/$version"
	for tag in "${tags[@]}"; do echo "git tag -a -m '$version' $tag $1"; done
	echo "git push --atomic origin HEAD ${tags[*]}"
}

[ -z "$(git status --porcelain)" ] || fail "there are uncommitted changes"
version=${2:-$(next)}
accept
scripts/check-versions.sh "$tools/multimod"

git clone -q . "$folder/clone"
cd "$folder/clone"
git config user.name "$(git -C "$root" config user.name)"
git config user.email "$(git -C "$root" config user.email)"
base=$(git rev-parse HEAD)

use_proxy "file://$folder/proxy/modules/cache/download" "$folder/modules"

echo "== writing $version"
write_version
development=$(commit HEAD development)
release_modules
released=$(commit "$base" "release: $version")
development=$(git commit-tree "$development^{tree}" -p "$released" -m "release: go on after $version")

echo "== serving the tagged commit, and building from it alone"
rm -rf "$folder/proxy" "$folder/modules/cache/download/$module" "$folder/modules/$module"*
git reset -q --hard "$released"
mapfile -t published < <(published_modules)
tag_and_serve "$released" "${published[@]}"
"$scripts/check-published.sh" "$version"

echo "== the commit for further development"
git reset -q --hard "$development"
scripts/check-versions.sh "$tools/multimod"
for path in $(git ls-files '*go.mod' | grep -v testdata/ | grep -v internal/tools/ | xargs dirname); do go -C "$path" mod tidy -diff 2> "$folder/output" || fail "$(cat "$folder/output")"; done

if [ $# -gt 1 ]; then
	git branch "release/$version" "$development"
	git -C "$root" fetch -q --no-tags "$folder/clone" "release/$version:release/$version"
	cd "$root"
	publish "$released"
fi
