#!/bin/sh
# SPDX-License-Identifier: MIT
# test_tree.sh - the checks of tools/ pass on this tree, and each one fails on
# a copy in which its rule is broken.
: "${srcdir:=$(dirname "$0")/..}"
. "$srcdir/tests/tap.sh"
tools=$(cd "$srcdir/tools" && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

fresh() { # a copy of the sources to break
    rm -rf "$copy/tree"
    mkdir -p "$copy/tree"
    (cd "$srcdir" && tar cf - --exclude=build-land --exclude=.libs \
        include src stress) | tar xf - -C "$copy/tree"
}

orders() { # TREE
    awk -f "$tools/check_orders.awk" $(find "$1/src" -name '*.[ch]')
}

symbols() { # TREE
    "$tools/check_symbols.sh" "$1/src/weft.map" "$1/include"
}

alone() { # DIRECTORY: each test has a log of its own
    for script in "$1"/*.sh; do
        [ ! -e "${script%.sh}.c" ] || {
            echo "$script and ${script%.sh}.c write one log: one of them never runs"
            return 1
        }
    done
}

ok "each test has its own log" alone "$srcdir/tests"
mkdir -p "$copy/logs"
touch "$copy/logs/test_a.sh" "$copy/logs/test_a.c"
fails "logs: a script and a program of one name" alone "$copy/logs"

ok "floors hold" "$tools/check_floors.sh" "$srcdir"
fresh
echo '#include "container/ring.h"' >>"$copy/tree/src/base/cpu.c"
fails "floors: base may not look up" "$tools/check_floors.sh" "$copy/tree"
fresh
echo '#include "base/cacheline.h"' >>"$copy/tree/stress/main.c"
fails "floors: the harness sees public headers only" \
    "$tools/check_floors.sh" "$copy/tree"
fresh
echo '#include <urcu-bp.h>' >>"$copy/tree/include/weft/ring.h"
fails "floors: no header of liburcu in a public one" \
    "$tools/check_floors.sh" "$copy/tree"

ok "orders name their edges" orders "$srcdir"
for line in \
    'atomic_store_explicit(&x, 1, memory_order_release);' \
    '/* release: nowhere */ atomic_store_explicit(&x, 1, memory_order_release);' \
    'atomic_store(&x, 1);'; do
    fresh
    echo "$line" >>"$copy/tree/src/base/cpu.c"
    fails "orders: not '$line'" orders "$copy/tree"
done

ok "headers stand alone" "$tools/check_headers.sh" "$srcdir/include"
for line in 'size_t weft_forgot_an_include(void);' 'void f(void) { int class; }' \
    '#define SPAWN 1' '#include "config.h"'; do
    mkdir -p "$copy/headers/weft"
    cp "$srcdir/include/weft/base.h" "$copy/headers/weft/"
    echo "$line" >>"$copy/headers/weft/base.h"
    fails "headers: not '$line'" "$tools/check_headers.sh" "$copy/headers"
done

ok "symbols agree" symbols "$srcdir"
fresh
sed 's/weft_version;/weft_version; weft_ghost;/' "$srcdir/src/weft.map" \
    | tr ' ' '\n' >"$copy/tree/src/weft.map"
fails "symbols: one only in the map" symbols "$copy/tree"
fresh
echo 'WEFT_API int weft_ghost(void);' >>"$copy/tree/include/weft/ring.h"
fails "symbols: one only in a header" symbols "$copy/tree"
if [ -e .libs/libweft.so ]; then
    ok "symbols of the library" "$tools/check_symbols.sh" \
        "$srcdir/src/weft.map" "$srcdir/include" .libs/libweft.so
    fresh
    sed '/weft_version;/d' "$srcdir/src/weft.map" >"$copy/tree/src/weft.map"
    sed -i '/weft_version(void)/d' "$copy/tree/include/weft/version.h"
    fails "symbols: one only in the library" "$tools/check_symbols.sh" \
        "$copy/tree/src/weft.map" "$copy/tree/include" .libs/libweft.so
fi
tap_end
