#!/bin/sh
# SPDX-License-Identifier: MIT
# packages.sh - sees to it that Debian packages are installed: installs what is
# missing as root or through sudo, else prints the one line to run.
#
#   usage: packages.sh PACKAGE...
set -eu
missing=
for package in "$@"; do
    case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || :) in
    *" installed") ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

command -v apt-get >/dev/null || {
    echo "There is no apt-get here. Install what Debian calls:$missing" >&2
    exit 1
}
if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root="sudo"
elif command -v sudo >/dev/null && [ -t 0 ]; then
    as_root="sudo"
else
    echo "Some packages are missing. Run this as root, then try again:" >&2
    echo "    apt-get update && apt-get install -y$missing" >&2
    exit 1
fi
echo "Installing:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086
{
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q &&
        $as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -q --no-install-recommends $missing
} >"$log" 2>&1 </dev/null || {
    tail -n 20 "$log" >&2
    echo "apt-get could not install:$missing" >&2
    exit 1
}
