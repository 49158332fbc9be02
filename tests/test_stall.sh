#!/bin/sh
# SPDX-License-Identifier: MIT
# test_stall.sh - a stopped thread stops nobody where that is promised, and the
# scenarios that say so can see one that does: a lock's holder.
: "${srcdir:=$(dirname "$0")/..}"
. "$srcdir/tests/tap.sh"
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT

stall() { # NAME OPTIONS...
    # shellcheck disable=SC2086 # RUN may be an emulator with options
    ${RUN-} ./weft-stress stall "$@" --csv "$found/$1.csv"
}

# The number in COLUMN of the row that sums up VARIANT.
number() { # NAME VARIANT COLUMN
    awk -F, -v variant="$2" -v column="$3" '
        $1 == "table" { for (i = 1; i <= NF; i++) at[$i] = i; next }
        $1 == "stops" && $3 == variant && $4 == "all" { print $at[column] }
    ' "$found/$1.csv"
}

is() { # NAME VARIANT COLUMN TEST NUMBER
    value=$(number "$1" "$2" "$3")
    echo "$2: $3 $value"
    [ -n "$value" ] && test "$value" "$4" "$5"
}

promises() { # NAME
    ok "$1: it ran" test -s "$found/$1.csv"
    for strict in $strict_ones; do
        ok "$1: $strict, stops were made" is "$1" "$strict" stops -gt 5
        ok "$1: $strict, nobody is held up" is "$1" "$strict" 'held up' -eq 0
        ok "$1: $strict, the others went on each time" \
            is "$1" "$strict" 'went on' -eq "$(number "$1" "$strict" stops)"
    done
    ok "$1: a stopped holder of a lock holds others up" \
        is "$1" mutex 'held up' -gt 0
    ok "$1: and not where it holds none" is "$1" mutex 'went on' -gt 0
}

strict_ones=lockfree
ok "ring, at its instructions" stall ring --every 7 --rounds 2
promises ring
ok "ring, at random moments" stall ring --form random --rounds 4
promises ring
ok "fifo, at its instructions" stall fifo --every 31 --rounds 1
promises fifo
ok "spsc" stall spsc --every 7 --rounds 2
promises spsc
ok "stack" stall stack --every 11 --rounds 1
promises stack
strict_ones=deque
ok "deque" stall deque --every 3 --rounds 1
promises deque
strict_ones='percpu atomic'
ok "counter" stall counter
promises counter
one=$(taskset -cp $$ | sed 's/.*: *//; s/[-,].*//')
# shellcheck disable=SC2086
ok "counter, all on one CPU" \
    taskset -c "$one" ${RUN-} ./weft-stress stall counter --every 3
fails "a form that is none" stall ring --form sometimes
fails "more than one number" stall ring --every 1,2
tap_end
