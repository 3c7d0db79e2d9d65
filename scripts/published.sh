# Functions about the published modules, to be sourced by bash scripts in the root of the repository.
#
#	published_version    prints the version in versions.yaml
#	published_modules    prints the folder of each published module, dependencies first
#	own_modules <file>   prints each module of this repository that a go.mod requires
#	module_path <folder> prints the path of the module in a folder
#	module_tag <folder> <version> prints the tag of the module in a folder
#	published_commands   prints the import path of each command of the published modules
#	use_proxy <URL> <folder>  makes go use a proxy first, with a module cache of its own

module=github.com/otel-goroutine/otel-goroutine

published_version() { sed -nE 's/^ +version: (v[^ ]+)$/\1/p' versions.yaml; }

module_path() { if [ "$1" = . ]; then echo $module; else echo "$module/$1"; fi; }

module_tag() { if [ "$1" = . ]; then echo "$2"; else echo "$1/$2"; fi; }

own_modules() { sed -nE "s,^(require)?\s*($module[^ ]*) v.*,\2,p" "$1"; }

published_modules() {
	local folder required
	sed -n '/^ *modules:/,/^$/p' versions.yaml | sed -nE "s,^ *- ($module.*),\1,p" | while read -r path; do
		folder=${path#"$module"}
		folder=${folder#/}
		# tsort prints the first of each pair before the second.
		echo "$path $path"
		for required in $(own_modules "${folder:-.}/go.mod"); do echo "$required $path"; done
	done | tsort | sed -E "s,^$module/?,,; s,^\$,.,"
}

published_commands() {
	local folder
	for folder in $(published_modules); do
		go -C "$folder" list -f '{{if eq .Name "main"}}{{.ImportPath}}{{end}}' ./... | grep -v /internal/ || true
	done
}

# The configured proxies follow it. Direct access to repositories is disabled, since users must get
# everything from proxies.
use_proxy() {
	GOPROXY=$1,file://$(go env GOMODCACHE)/cache/download,$(go env GOPROXY | sed -E 's/[,|]direct$//')
	export GOPROXY GOMODCACHE=$2 GONOSUMDB=$module GOFLAGS='-modcacherw -trimpath -buildvcs=false' GOWORK=off
}
