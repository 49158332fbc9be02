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

promises() { # NAME LOCK STRICT...
    name=$1 lock=$2
    shift 2
    ok "$name: it ran" test -s "$found/$name.csv"
    for strict in "$@"; do
        ok "$name: $strict, stops were made" is "$name" "$strict" stops -gt 5
        ok "$name: $strict, nobody is held up" is "$name" "$strict" 'held up' -eq 0
        ok "$name: $strict, the others went on each time" \
            is "$name" "$strict" 'went on' -eq "$(number "$name" "$strict" stops)"
    done
    ok "$name: a stopped holder of a lock holds others up" \
        is "$name" "$lock" 'held up' -gt 0
    ok "$name: and not where it holds none" is "$name" "$lock" 'went on' -gt 0
}

# AddressSanitizer makes every call several times as many instructions, and its
# own are most of them.
wide=1
! grep -q __asan_init ./weft-stress || wide=8
ok "ring, at its instructions" stall ring --every $((7 * wide)) --rounds 2
promises ring mutex lockfree
ok "ring, at random moments" stall ring --form random --rounds 4
promises ring mutex lockfree
ok "fifo, at its instructions" stall fifo --every $((31 * wide)) --rounds 1
promises fifo mutex lockfree
ok "spsc" stall spsc --every $((7 * wide)) --rounds 2
promises spsc mutex lockfree
ok "stack" stall stack --every $((11 * wide)) --rounds 1
promises stack mutex lockfree
ok "deque" stall deque --every $((3 * wide)) --rounds 1
promises deque mutex deque
ok "heap" stall heap --every $((211 * wide)) --rounds 1
promises heap 'mutex key' 'lockfree key'
ok "queue" stall queue --every $((211 * wide)) --rounds 1
promises queue mutex lockfree 'lockfree unbounded' 'lockfree lifo unbounded'
ok "queue: a stopped holder of its lock makes others sleep" \
    is queue mutex asleep -gt 0
ok "counter" stall counter
promises counter mutex percpu atomic
one=$(taskset -cp $$ | sed 's/.*: *//; s/[-,].*//')
# shellcheck disable=SC2086
ok "counter, all on one CPU" \
    taskset -c "$one" ${RUN-} ./weft-stress stall counter --every 3
fails "a form that is none" stall ring --form sometimes
fails "more than one number" stall ring --every 1,2
tap_end
