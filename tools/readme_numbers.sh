#!/bin/sh
# SPDX-License-Identifier: MIT
# readme_numbers.sh - measures, and writes the table between two marks in the
# README:
#
#     <!-- numbers: begin -->
#     <!-- numbers: end -->
#
#   usage: readme_numbers.sh README WEFT-STRESS
#
# BENCH_FLAGS adds options to the bench.
set -eu
: "${AWK:=awk}"
if [ $# != 2 ]; then
    echo "usage: tools/readme_numbers.sh README WEFT-STRESS" >&2
    exit 2
fi
readme=$1
stress=$2
here=$(dirname "$0")
begin='<!-- numbers: begin -->'
end='<!-- numbers: end -->'
locks='mutex rmutex rwlock semaphore event cond barrier once thread'

# Both marks, once each and in this order: else the file stays as it is.
# shellcheck disable=SC2016 # awk has dollars of its own
"$AWK" -v b="$begin" -v e="$end" '
    $0 == b { if (seen++) bad = 1 }
    $0 == e { if (seen++ != 1) bad = 1 }
    END { exit bad || seen != 2 }' "$readme" || {
    echo "readme_numbers.sh: $readme: needs the line '$begin' and then '$end', once each" >&2
    exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# shellcheck disable=SC2086 # several options
{
    "$stress" bench counter spsc ring fifo stack heap queue --capacity 1024 ${BENCH_FLAGS-} \
        --csv "$work/queues.csv"
    for concept in $locks; do
        "$stress" bench "$concept" ${BENCH_FLAGS-} --csv "$work/$concept.csv"
    done
    "$stress" bench pool --table -2 ${BENCH_FLAGS-} --csv "$work/pool.csv"
}
# Spaces at the end are from an empty BENCH_FLAGS.
command=$(echo "weft-stress bench counter … thread ${BENCH_FLAGS-}" |
    sed 's/ *$//')
"$AWK" -v command="$command" -f "$here/readme_numbers.awk" \
    "$work"/*.csv >"$work/table"
# shellcheck disable=SC2016
"$AWK" -v b="$begin" -v e="$end" -v table="$work/table" '
    $0 == e { inside = 0 }
    !inside { print }
    $0 == b {
        inside = 1
        while ((getline line < table) > 0) print line
    }' "$readme" >"$work/readme"
cat "$work/readme" >"$readme"
