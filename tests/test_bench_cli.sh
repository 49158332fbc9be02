#!/bin/sh
# SPDX-License-Identifier: MIT
# test_bench_cli.sh - short runs of the benches through the command line, and the
# table of the README made from one.
: "${srcdir:=$(dirname "$0")/..}"
. "$srcdir/tests/tap.sh"
stress=${stress:-./weft-stress}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The emulator of a cross build runs the program, not a shell script.
run() { # ARGUMENTS...
    ${RUN-} "$stress" "$@"
}
rows_of() { # BENCH: its file has rows, and all of them are right
    # shellcheck disable=SC2086 # several options
    run bench "$1" $brief --json "$work/$1.json" --csv "$work/$1.csv" \
        >"$work/$1.out" || return 1
    ! grep -q FAILED "$work/$1.csv" || return 1
    [ "$(grep -c ',ok,' "$work/$1.csv")" -ge 18 ] || return 1
    [ ! -s "$work/$1.json" ] ||
        [ "$(grep -c '"verdict": "ok"' "$work/$1.json")" -ge 18 ]
}
header_of() { # BENCH: what it was measured with stands above any number
    awk '/^  variant/ { exit }
        /^cpu |^compiler |^flags |^kernel |^library |^governor |^seed /{ n++ }
        / rounds, interleaved, / { n++ }
        END { exit n != 8 }' "$work/$1.out"
}
benches="counter deque heap pool ring spsc stack"
# In an emulator it is enough that two of them run.
[ -z "${RUN-}" ] || benches="counter spsc"
for bench in $benches; do
    case $bench in
    heap) brief="--duration 0.05 --rounds 1 --threads 1,2,3,4 --table hold-100-" ;;
    deque | stack) brief="--duration 0.2 --rounds 1" ;;
    pool) brief="--duration 0.1 --rounds 1" ;;
    spsc) brief="--duration 0.1 --rounds 1 --capacity 64" ;;
    counter) brief="--duration 0.1 --rounds 1 --threads 1,2" ;;
    ring) brief="--duration 0.1 --rounds 1 --threads 1,2 --mix 1x2 --capacity 64" ;;
    esac
    ok "$bench: every row is right" rows_of $bench
    ok "$bench: the header comes first" header_of $bench
done

only_percpu() {
    run bench counter --only percpu --threads 1 --duration 0.05 --rounds 1 \
        --csv "$work/only.csv" >/dev/null || return 1
    grep -q percpu "$work/only.csv" && ! grep -q fetch_add "$work/only.csv"
}
ok "only: other variants are left out" only_percpu
only_small() {
    run bench pool --table small-2 --only mutex --duration 0.01 --rounds 1 \
        --csv "$work/small.csv" >/dev/null || return 1
    [ "$(grep -c '^small-2,' "$work/small.csv")" = 1 ] &&
        ! grep -q '^fib' "$work/small.csv"
}
ok "table: other tables are left out" only_small
fails "table: a name that none has" run bench pool --table nonesuch
fails "only: a name that none has" run bench ring --only nonesuch
fails "mix: nonsense" run bench ring --mix 2y2
fails "capacity: nonsense" run bench ring --capacity 0

# The README's table.
numbers() { # README SECONDS
    BENCH_FLAGS="--duration $2 --rounds 1" \
        "$srcdir/tools/readme_numbers.sh" "$1" "$work/stress" >/dev/null
}
# On a machine so busy that a thread gets no turn, a row has no number.
numbers_in_time() { # README
    numbers "$1" 0.1 || numbers "$1" 0.5 || numbers "$1" 2
}
printf '#!/bin/sh\ncd "%s" && exec %s "%s" "$@"\n' "$(pwd)" "${RUN-}" \
    "$stress" >"$work/stress"
chmod +x "$work/stress"
printf '%s\n' before '<!-- numbers: begin -->' 'old' '<!-- numbers: end -->' \
    after >"$work/readme"
if grep -q '^flags.*sanitize=thread' "$work/counter.out"; then
    # Its rows are not all there, and a million items take minutes.
    skip "readme: numbers are written" "ThreadSanitizer sees not every rival"
elif [ -n "${RUN-}" ]; then
    skip "readme: numbers are written" "an emulator takes minutes"
else
    ok "readme: numbers are written" numbers_in_time "$work/readme"
    # shellcheck disable=SC2016 # awk has dollars of its own
    ok "readme: between the marks, and nothing else changes" awk '
        NR == 1 { ok = $0 == "before" } $0 == "old" { ok = 0 }
        /^\| counter, 8 threads \| M adds\/s \| [0-9.]+ [a-z-]+ \| [0-9.]+ \| / { rows++ }
        /^\| ring, 2 × 2, capacity 1024 \| M items\/s \|/ { rows++ }
        /^\| spsc, push and pop in one thread \| ns\/pair \|/ { rows++ }
        /^\| pool, a task that is submitted and run \| ns\/task \|/ { rows++ }
        END { exit !(ok && rows == 4 && $0 == "after") }' "$work/readme"
fi
printf 'no marks\n' >"$work/plain"
fails "readme: without marks it fails" numbers "$work/plain" 0.1
ok "readme: and stays as it was" grep -qx 'no marks' "$work/plain"
tap_end
