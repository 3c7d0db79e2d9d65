#!/usr/bin/env bash
# Tests a version of the published modules as a user would, outside of any clone: builds each module
# alone, installs each command, builds the services of README.md and instrument/README.md with the
# `go get` of the page, builds the collector of docs/own-collector.md, and validates its
# configurations. Pages and modules come from GOPROXY only.
#
#	check-published.sh <version>
set -eu -o pipefail
. scripts/published.sh

version=$1
modules=$(published_modules)
commands=$(published_commands)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GOBIN=$work/bin PATH=$work/bin:$PATH
cd "$work"

fail() {
	echo "$1"
	exit 1
}

# published prints the folder of a module from the proxy.
published() { go mod download -json "$1@$version" | sed -nE 's/^\t"Dir": "(.*)",$/\1/p'; }

# block prints the n-th code block of a language on a page.
block() { awk -v fence="\`\`\`$2" -v n="$3" '$0 == fence {if (++seen == n) {show = 1; next}} /^```$/ {show = 0} show' "$1"; }

alone() {
	echo "== $1 alone"
	# In the module cache go does not read go.sum.
	cp -r "$(published "$1")" copy
	if grep -q '=>' copy/go.mod; then fail "its go.mod has a replace directive, which go install refuses"; fi
	go -C copy vet ./... 2> said || fail "$(cat said)"
	rm -r copy
	mkdir user && cd user
	go mod init example.com/user 2> said
	go get "$1/...@$version" 2> said || fail "$(cat said)"
	go build "$1/..." 2> said || fail "$(cat said)"
	cd .. && rm -r user
}

install() {
	echo "== go install $1@$version"
	go install "$1@$version" 2> said || fail "$(cat said)"
	go version -m "bin/$(basename "$1")" | grep -P "^\tmod\t\S+\t\Q$version\E\t" > said || fail "the version of the command is not $version"
}

# service builds the n-th program of a page of the root module, with the go get lines of the page for
# the packages that it imports.
service() {
	local path
	echo "== service $2 of $1"
	mkdir service && cd service
	block "$root/$1" go "$2" > main.go
	go mod init example.com/service 2> said
	for path in $(grep -oE "\"$module[^\"]*\"" main.go | tr -d '"'); do
		grep -x "go get $path@latest" "$root/$1" > get.sh || fail "the page has no: go get $path@latest"
		# A later version may have been published since.
		sed -i "s,@latest,@$version," get.sh
		bash -eu get.sh 2> said || fail "$(cat said)"
	done
	go mod tidy 2> said || fail "$(cat said)"
	go vet . || fail "it does not build"
	grep -oE "$module\S* v.*" go.mod | grep -v " $version" && fail "another version is required"
	cd .. && rm -r service
}

# collector follows docs/own-collector.md.
collector() {
	echo "== the collector of docs/own-collector.md"
	local page=$root/docs/own-collector.md
	mkdir collector && cd collector
	block "$page" yaml 1 > builder.yaml
	block "$page" yaml 2 > config.yaml
	block "$page" yaml 3 > trial.yaml
	block "$page" sh 1 > build.sh
	grep -q ' path:\|^replaces:' builder.yaml && fail "its builder configuration needs a clone"
	bash -eu build.sh > said 2>&1 || fail "$(cat said)"
	for path in $(sed -nE "s,^ *- gomod: ($module\S*) v.*,\1,p" builder.yaml); do
		go version -m otelcol/otelcol | grep -P "^\tdep\t\Q$path\E\t\Q$version\E\t" > said || fail "$path $version is not in it"
	done
	otelcol/otelcol validate --config config.yaml --config trial.yaml > said 2>&1 || fail "$(cat said)"
	cd ..
}

# current fails if a page says that the modules are not published.
current() {
	grep -rnx --include='*.md' '<!-- before the first release -->' "$1" && fail "the page holds only before the first release"
	return 0
}

for path in $modules; do
	alone "$(module_path "$path")"
	current "$(published "$(module_path "$path")")"
done
for command in $commands; do install "$command"; done
root=$(published $module)
service README.md 1
for program in 1 2 3; do service instrument/README.md "$program"; done
collector
echo "$version can be used"
