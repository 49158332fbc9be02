#!/bin/sh
# SPDX-License-Identifier: MIT
# check_layouts.sh - Weft builds and installs in other layouts than the default
# one: shared or static only, a multiarch library folder, under DESTDIR; and
# what was installed goes away again.  Works in a folder of its own.  What the
# compiler makes of it is not the question here, so it is not asked to optimize.
#
#   usage: check_layouts.sh
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
jobs=$(nproc)
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

# layout NAME FLAGS...
layout() {
    name=$1
    shift
    mkdir "$temp/$name"
    cd "$temp/$name"
    "$source/configure" -q --enable-werror CFLAGS=-O0 CXXFLAGS=-O0 "$@"
    make -s -j "$jobs"
    make -s install DESTDIR="$temp/$name/root" >/dev/null
    make -s installcheck DESTDIR="$temp/$name/root"
    make -s uninstall DESTDIR="$temp/$name/root" >/dev/null
    left=$(find "$temp/$name/root" -not -type d)
    [ -z "$left" ] || {
        echo "check_layouts.sh: $name: uninstall left" $left
        exit 1
    }
    echo "check_layouts.sh: $name holds"
}

layout static --disable-shared --prefix=/opt/weft
layout shared --disable-static --prefix=/usr \
    --libdir="/usr/lib/$(${CC:-cc} -dumpmachine)"
