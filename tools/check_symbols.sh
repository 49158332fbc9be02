#!/bin/sh
# SPDX-License-Identifier: MIT
# check_symbols.sh - the functions that the headers declare, the map and the
# built library name the same symbols, and each begins with weft_.
#
#   usage: check_symbols.sh MAP INCLUDE-DIR [LIBRARY.so]     NM is used
set -eu
map=$1
include=$2
library=${3-}
: "${NM:=nm}"
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
bad=0

# The functions: a name before a parenthesis in a statement with WEFT_API.
cat "$include"/weft/*.h | awk '
    /^ *\/[*]/ { comment = 1 }
    !comment && /^WEFT_API/ { open = 1 }
    open { line = line " " $0 }
    open && /[;{]/ {
        if (match(line, /weft_[a-z0-9_]+\(/))
            print substr(line, RSTART, RLENGTH - 1)
        else if (match(line, /weft_[a-z0-9_]+_ /)) # a word of inline parts
            print substr(line, RSTART, RLENGTH - 1)
        open = 0
        line = ""
    }
    /[*]\// { comment = 0 }' | sort -u >"$temp/headers"
# shellcheck disable=SC2016
sed -n '/^global:/,/^local:/s/^ *\([^ ;]*\);.*/\1/p' "$map" | sort >"$temp/map"

for list in headers map; do
    [ -s "$temp/$list" ] || {
        echo "check_symbols.sh: found nothing in the $list"
        exit 1
    }
done

# differ A B: whether the two lists differ, telling how
differ() {
    comm -3 "$temp/$1" "$temp/$2" >"$temp/diff"
    [ -s "$temp/diff" ] || return 1
    comm -23 "$temp/$1" "$temp/$2" | sed "s/^/only in the $1: /"
    comm -13 "$temp/$1" "$temp/$2" | sed "s/^/only in the $2: /"
}

if differ headers map; then bad=1; fi
if grep -v '^weft_' "$temp/map"; then
    echo "check_symbols.sh: a symbol of the map does not begin with weft_"
    bad=1
fi
if [ -n "$library" ]; then
    # Version nodes are absolute symbols (type A).
    $NM -D --defined-only "$library" |
        awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >"$temp/library"
    [ -s "$temp/library" ] || {
        echo "check_symbols.sh: $library exports nothing"
        exit 1
    }
    if differ map library; then bad=1; fi
fi
[ "$bad" = 0 ] && echo "$(wc -l <"$temp/map") symbols agree"
exit "$bad"
