#!/bin/sh
# SPDX-License-Identifier: MIT
# test_readme.sh - what the README shows is what the tree has.
: "${srcdir:=$(dirname "$0")/..}"
. "$srcdir/tests/tap.sh"
readme=$srcdir/README.md
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

# The program between ```c and ```, as printed.
sed -n '/^```c$/,/^```$/p' "$readme" | sed '1d;$d' >"$temp/first.c"

is_short() {
    [ "$(wc -l <"$readme")" -le 150 ]
}

starts_with_the_commands() { # the first two indented lines
    [ "$(sed -n 's/^    \(\.\/[a-z ]*[a-z]\).*/\1/p' "$readme" | head -n 2)" = \
        "./quickstart
./quickstart check" ]
}

says() { # what the program prints, built from the README by the makefile's rule
    [ "$(${RUN-} examples/first)" = "20000000 sheep" ]
}

files_exist() { # each path of the map
    sed -n '/^## Map/,/^[A-Z]/p' "$readme" |
        grep -oE '(^|[ ])[a-z]+(/[a-z]+)*/' | while read -r path; do
        [ -d "$srcdir/$path" ] || {
            echo "no $path"
            exit 1
        }
    done
}

ok "at most 150 lines" is_short
ok "the two commands come first" starts_with_the_commands
ok "its program is examples/first.c" cmp "$temp/first.c" "$srcdir/examples/first.c"
echo >>"$temp/first.c"
fails "one more line would be seen" cmp "$temp/first.c" "$srcdir/examples/first.c"
ok "its program prints what is right" says
ok "its map is true" files_exist
tap_end
