#!/usr/bin/env bash
# Installs missing commands from Debian packages.
#
#	install.sh <what needs them> <command>[=<package>]...
set -eu -o pipefail

purpose=$1
shift
packages=() absent=
for needed in "$@"; do
	packages+=("${needed#*=}")
	command -v "${needed%=*}" > /dev/null || absent=y
done
if [ -n "$absent" ]; then
	{ apt-get update -qq && apt-get install -y -qq --no-install-recommends "${packages[@]}"; } || {
		echo "cannot install them here; $purpose needs: ${packages[*]}"
		exit 1
	}
fi
