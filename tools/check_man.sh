#!/bin/sh
# SPDX-License-Identifier: MIT
# check_man.sh - the manual pages are clean mdoc, each exported function has a
# page, and no page has a function that is gone.
#
#   usage: check_man.sh MAP PAGE...     MANDOC is used
set -eu
: "${MANDOC:=mandoc}"
map=$1
shift
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
bad=0

[ $# -gt 0 ] || {
    echo "check_man.sh: no page"
    exit 1
}
command -v "$MANDOC" >/dev/null || {
    echo "check_man.sh: $MANDOC not found: install the package mandoc" >&2
    exit 1
}
for page in "$@"; do
    "$MANDOC" -T lint -W warning "$page" || bad=1
done

sed -n '/^global:/,/^local:/s/^ *\([^ ;]*\);.*/\1/p' "$map" |
    grep -v '_$' | sort >"$temp/map" # those are for inline functions only
# What a page defines: the names under NAME and the functions of SYNOPSIS.
# What it mentions: any weft_ word followed by a parenthesis or under .Fn, .Xr
# aside.
awk '
    FNR == 1 { section = "" }
    /^[.]Sh / { section = $2; next }
    section == "NAME" && /^[.]Nm / { print $2 > names }
    section == "SYNOPSIS" && /^[.]F[no] / {
        name = $2; gsub(/"/, "", name); sub(/.* /, "", name)
        print name > synopsis
    }
    /^[.](Fn|Fo) / && $2 ~ /^weft_/ { print $2 > mentioned }
' names="$temp/names" synopsis="$temp/synopsis" mentioned="$temp/mentioned" "$@"
touch "$temp/names" "$temp/synopsis" "$temp/mentioned"
for list in names synopsis mentioned; do
    sort -u "$temp/$list" | grep '^weft_' >"$temp/list" || :
    mv "$temp/list" "$temp/$list"
done

for list in names synopsis; do
    comm -23 "$temp/map" "$temp/$list" >"$temp/missing"
    if [ -s "$temp/missing" ]; then
        sed "s/\$/: no page has it under $list/" "$temp/missing"
        bad=1
    fi
done
cat "$temp/synopsis" "$temp/mentioned" | sort -u |
    comm -13 "$temp/map" - >"$temp/gone"
if [ -s "$temp/gone" ]; then
    sed 's/$/: a page has it, the library has not/' "$temp/gone"
    bad=1
fi
[ "$bad" = 0 ] && echo "$# pages agree with $(wc -l <"$temp/map") symbols"
exit "$bad"
