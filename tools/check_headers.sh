#!/bin/sh
# SPDX-License-Identifier: MIT
# check_headers.sh - each public header compiles alone, in C11 with -pedantic
# and in C++11, twice in a row, and none needs what configure found out.
#
#   usage: check_headers.sh [INCLUDE-DIR]     CC and CXX are used
set -eu
dir=${1:-$(dirname "$0")/../include}
: "${CC:=cc}" "${CXX:=c++}"
strict="-Wall -Wextra -Werror -Wpedantic -pedantic-errors -Wundef -fsyntax-only"
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
bad=0
count=0

for path in "$dir"/weft/*.h; do
    [ -e "$path" ] || {
        echo "check_headers.sh: no header in $dir/weft"
        exit 1
    }
    count=$((count + 1))
    name=weft/${path##*/}
    printf '#include <%s>\n#include <%s>\nint weft_header_stands_alone;\n' \
        "$name" "$name" >"$temp/alone.c"
    cp "$temp/alone.c" "$temp/alone.cc"
    # shellcheck disable=SC2086
    $CC -std=c11 $strict -I"$dir" "$temp/alone.c" || {
        echo "$name: does not stand alone in C11"
        bad=1
    }
    # shellcheck disable=SC2086
    $CXX -std=c++11 $strict -I"$dir" "$temp/alone.cc" || {
        echo "$name: does not stand alone in C++11"
        bad=1
    }
    if [ -e "$dir/Makefile.inc" ] && ! grep -q "$name " "$dir/Makefile.inc" &&
        ! grep -q "$name\$" "$dir/Makefile.inc"; then
        echo "$name: is not installed: see include/Makefile.inc"
        bad=1
    fi
    if grep -nE 'config\.h|(^|[^A-Z_])HAVE_' "$path"; then
        echo "$name: depends on what configure found"
        bad=1
    fi
    # Whatever it defines begins with WEFT_; the guard too.
    if grep -nE '^ *# *define ' "$path" | grep -vE 'define (WEFT_|weft_)'; then
        echo "$name: takes a word away from its users"
        bad=1
    fi
done
[ "$bad" = 0 ] && echo "$count headers stand alone"
exit "$bad"
