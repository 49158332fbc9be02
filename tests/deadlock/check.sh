#!/bin/sh
# SPDX-License-Identifier: MIT
# check.sh - runs each program of this folder under weft-deadlock, compares what
# is said with the verdict in its first line, and prints the score:
#
#   does SHAPE   it blocks for good: a report of that shape (or SHAPE|SHAPE)
#   could N      N threads block in another run: a prediction has so many, and
#                its waits are in the lines marked "here", if any are
#   cannot       no report; the program ends with 0
#   possible     it looks as if it blocked, and goes on in the end: no report, or
#                one that says that it is not certain, and is taken back; the
#                program ends with 0
#
# Words that begin with -- are options of weft-deadlock.
#
# A miss or a false alarm is a failure unless known.txt has the reason.  The threads
# of one that could are kept apart by time alone, and may be late on a busy machine:
# it has three runs.
#
#   usage: check.sh FOLDER-OF-PROGRAMS [NAME...]     in the build's folder
set -u
: "${srcdir:=$(dirname "$0")/../..}"
: "${CC:=cc}" "${CXX:=c++}" "${AWK:=awk}"
here=$srcdir/tests/deadlock
limit=${LIMIT-60} # [s], for one that is missed

# Compile NAME.c or NAME.cc, if it is newer than its program.
build() { # OUT SOURCE
    name=$(basename "$2") name=${name%.*}
    test -n "$(find "$1/$name" -newer "$2" -newer "$here/common.h" 2>/dev/null)" &&
        return 0
    case $2 in
    *.cc) $CXX -std=c++17 -g -O1 -pthread "$2" -o "$1/$name" ;;
    *) $CC -std=gnu11 -D_GNU_SOURCE -g -O1 -pthread "$2" -o "$1/$name" -lrt ;;
    esac
}

# The lines of a program that are marked, and those of each prediction's waits,
# in order, each report in a line of its own, behind the number of its threads.
marked() { # SOURCE
    sed -n '/\/[*/] here/=' "$1" | tr '\n' ' '
}
predicted() { # JSON NAME
    $AWK -v name="/$2.c" '
    /"level": *"feasible"/ {
        sub(/"behind":.*/, "")
        n = split($0, wait, /"waits_for":/)
        split("", lines)
        for (i = 2; i <= n; i++) {
            sub(/"holds":.*/, "", wait[i])
            at = index(wait[i], name)
            if (at > 0 && match(substr(wait[i], at), /"line":[0-9]+/))
                lines[substr(wait[i], at + RSTART + 6, RLENGTH - 7) + 0] = 1
        }
        printf "%d: ", n - 1
        for (line = 1; line < 1000; line++)
            if (line in lines)
                printf "%d ", line
        print ""
    }' "$1"
}

# Whether one of the predictions is the right one.
is_right() { # VERDICT SOURCE JSON
    right=$(marked "$2")
    predicted "$3" "$(basename "$2" | sed 's/\..*//')" |
        grep -qx "$(echo "$1" | tr -dc 0-9): ${right:-.*}"
}

# Run NAME and judge it: $result, $shape, $took.
judge() { # OUT SOURCE
    rm -f "$1/$name.json"
    begin=$(date +%s%N)
    # shellcheck disable=SC2086 # none, or several words
    timeout -k 5 "$limit" ./weft-deadlock --json="$1/$name.json" $options \
        "$1/$name" >"$1/$name.log" 2>&1
    status=$?
    took=$((($(date +%s%N) - begin) / 1000000))
    shape=$(sed -n '/"level":"[cp]/s/.*"shape": *"\([a-z]*\)".*/\1/p' "$1/$name.json" | head -n 1)
    case $verdict:$status:$shape in
    does*:66:?*)
        case "|${verdict#does }|" in
        *"|$shape|"*) result=found ;;
        *) result=wrong ;;
        esac ;;
    could*:66:?*) result=found ;; # it has met
    could*:66:)
        result=wrong
        is_right "$verdict" "$2" "$1/$name.json" && result=found
        ;;
    cannot:0:) result=silent ;;
    possible:0:) result=silent ;;
    possible:0:?*)
        result=false
        ! grep -q '"certain":true' "$1/$name.json" &&
            grep -q "^weft: no deadlock: " "$1/$name.log" && result=found
        ;;
    possible:66:*) result=false ;;
    cannot:66:*) result=false ;;
    cannot:*) result=broken ;;
    *) result=missed ;;
    esac
}

# Run one; print NAME VERDICT RESULT SHAPE MILLISECONDS.
one() { # OUT SOURCE
    name=$(basename "$2") name=${name%.*}
    verdict=$(sed -n '1s,^/\* \([^:]*\):.*,\1,p' "$2")
    if ! build "$1" "$2" >"$1/$name.log" 2>&1; then
        echo "$name ${verdict%% *} unbuilt - 0"
        return
    fi
    options=$(echo "$verdict" | tr ' ' '\n' | grep '^--')
    verdict=$(echo "$verdict" | sed 's/ --[^ ]*//g')
    for _ in 1 2 3; do
        judge "$1" "$2"
        case $verdict:$result in could*:missed) ;; *) break ;; esac
    done
    echo "$name ${verdict%% *} $result ${shape:--} $took"
}

if [ "$1" = --one ]; then
    one "$2" "$3"
    exit
fi
out=$1
shift
mkdir -p "$out"
if [ $# -gt 0 ]; then
    for name in "$@"; do ls "$here/$name".c*; done
else
    ls "$here"/*.c "$here"/*.cc
fi | srcdir=$srcdir CC=$CC CXX=$CXX xargs -P 2 -n 1 sh "$0" --one "$out" |
    sort >"$out/results"

$AWK '
FNR == NR {
    if ($1 !~ /^#/ && NF > 0) {
        reason[$1] = $0
        sub(/^[^ ]+ +/, "", reason[$1])
    }
    next
}
{
    good = $3 == "found" || $3 == "silent"
    total[$2]++
    count[$2, $3]++
    if (good && $5 > slowest[$2]) {
        slowest[$2] = $5
        which[$2] = $1
    }
    if (!good && $1 in reason)
        print "known: " $1 " (" $2 "): " $3 ": " reason[$1]
    else if (!good) {
        print "FAILED: " $1 " (" $2 "): " $3 ($4 != "-" ? ", said " $4 : "")
        failed = 1
    } else if ($1 in reason && $1 !~ /^could/) {
        print "FAILED: " $1 " is in known.txt, but is as it should be"
        failed = 1
    }
}
END {
    print ""
    printf "%-8s %8s %8s %8s %8s %8s   %s\n", "", "programs", "found",
        "missed", "false", "broken", "slowest [ms]"
    split("does could cannot possible", order)
    for (i = 1; i <= 4; i++) {
        v = order[i]
        printf "%-8s %8d %8s %8s %8s %8s   %d %s\n", v, total[v],
            v == "cannot" ? "-" : count[v, "found"] + 0,
            v == "cannot" ? "-" : count[v, "missed"] + count[v, "wrong"] + 0,
            v == "cannot" ? count[v, "false"] + 0 : "-",
            count[v, "broken"] + count[v, "unbuilt"] + 0,
            slowest[v], which[v]
    }
    exit failed
}' "$here/known.txt" "$out/results"
