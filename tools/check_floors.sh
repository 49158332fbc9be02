#!/bin/sh
# SPDX-License-Identifier: MIT
# check_floors.sh - a source includes its own floor or floors below it, never
# up; the harness stands on the public headers only; nothing that a user
# includes reaches liburcu or Concurrency Kit.
#
#   usage: check_floors.sh [TREE]
set -eu
cd "${1:-$(dirname "$0")/..}"

awk '
function floor_of(folder) {
    return folder in floor ? floor[folder] : 0
}
function fail(what) {
    print FILENAME ":" FNR ": " what
    bad = 1
}
BEGIN {
    # The floors, lowest first; folders on one floor do not see each other.
    floor["base"] = 1; floor["deadlock"] = 2
    floor["container"] = 3; floor["sync"] = 3
    floor["thread"] = 4; floor["queue"] = 4
    floor["pool"] = 5; floor["parallel"] = 6; floor["model"] = 7
    # Public headers belong to the floor of their concept.
    split("counter ring spsc fifo stack heap deque", a)
    for (i in a) home[a[i]] = "container"
    split("guard mutex rmutex rwlock semaphore event cond barrier once", b)
    for (i in b) home[b[i]] = "sync"
    split("base status deadline version inline fail", c)
    for (i in c) home[c[i]] = "base"
    split("thread local timer dump", d)
    for (i in d) home[d[i]] = "thread"
    home["queue"] = "queue"; home["parallel"] = "parallel"
    home["pool"] = "pool"; home["future"] = "pool"
    home["deadlock"] = "deadlock"; home["stats"] = "pool"
    home["model"] = "model"
}
FNR == 1 {
    files++
    split(FILENAME, part, "/")
    top = part[1]
    mine = top == "src" ? part[2] : ""
    if (top == "include") {
        concept = part[3]
        sub(/[.]h$/, "", concept)
        mine = concept == "weft" ? "" : home[concept]
    }
    if (mine == "" && top == "src")
        fail("a source that stands on no floor")
    if (mine == "" && top == "include" && concept != "weft")
        fail("a public header of no known floor")
}
/^ *# *include/ {
    if (!match($0, /[<"][^>"]*[>"]/)) {
        fail("an include that cannot be read")
        next
    }
    quote = substr($0, RSTART, 1)
    name = substr($0, RSTART + 1, RLENGTH - 2)
    foreign = name ~ /^(urcu|ck_|urcu-)/
    if (top == "include" && (foreign || quote == "\""))
        fail("a public header includes " name)
    if (top == "stress" && (name ~ /^(\.\.\/)+src\// || (quote == "\"" && name ~ /^(base|container|sync|thread|queue|pool|parallel|deadlock|model)\//)))
        fail("the harness includes " name)
    if (mine == "")
        next
    its = ""
    if (name ~ /^weft\//) {
        concept2 = substr(name, 6)
        sub(/[.]h$/, "", concept2)
        if (concept2 == "weft")
            fail("include the headers that are used, not all of them")
        else
            its = home[concept2]
    } else if (quote == "\"" && name ~ /\//) {
        its = name
        sub(/\/.*/, "", its)
        if (!(its in floor))
            fail("no floor has the folder of " name)
    } else if (quote == "\"" && name != "config.h")
        fail("write the path from src/: " name)
    if (its != "" && its != mine && floor_of(its) >= floor_of(mine))
        fail(mine " (floor " floor_of(mine) ") includes " name " of " its " (floor " floor_of(its) ")")
}
END {
    if (files == 0) {
        print "check_floors.sh: no file was read"
        bad = 1
    }
    exit bad
}' $(find include src stress -name '*.[ch]' | sort)
