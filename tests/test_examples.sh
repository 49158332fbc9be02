#!/bin/sh
# SPDX-License-Identifier: MIT
# test_examples.sh - each numbered example prints what its comment says, and is
# short enough to be read in one go.
: "${srcdir:=$(dirname "$0")/..}"
. "$srcdir/tests/tap.sh"
build=$(pwd)
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
export LC_ALL=C
expected=$(cd "$srcdir/tests/examples" && pwd)

# shellcheck disable=SC2086 # RUN may be an emulator with options
example() { # NAME ARGUMENTS...
    name=$1
    shift
    ${RUN-} "$build/examples/$name" "$@"
}

run() { # NAME; its output is in $temp/out
    example "$1" >"$temp/out" 2>"$temp/err" || {
        echo "$1 ends with $?"
        cat "$temp/err"
        return 1
    }
    cat "$temp/err"
    [ ! -s "$temp/err" ]
}

same() { # NAME
    diff "$expected/$1.out" "$temp/out"
}

prints() { # NAME
    run "$1" && same "$1"
}

# What differs from run to run stands as N.
prints_but_for() { # NUMBER NAME: a sed expression whose digits become N
    run "$2" || return
    sed "s/$1/\\1N/" "$temp/out" >"$temp/masked"
    diff "$expected/$2.out" "$temp/masked"
}

# The first lines come in any order, the last is the last.
prints_in_any_order() { # NAME
    run "$1" || return
    [ "$(tail -n 1 "$temp/out")" = "$(tail -n 1 "$expected/$1.out")" ] || return
    sort "$expected/$1.out" >"$temp/sorted"
    sort "$temp/out" | diff "$temp/sorted" -
}

shows_who_is_where() {
    run 18_thread_stacks || return
    cat "$temp/out"
    grep -q '^Thread .*"clerk"' "$temp/out" &&
        grep -q 'holds mutex' "$temp/out" &&
        [ "$(tail -n 1 "$temp/out")" = "and on we go" ]
}

# As `sum` has it, and a dot for each entry: the files, and three folders.
adds_up_files() {
    mkdir -p "$temp/folder/in it" || return
    for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
        head -c $((i * 500 - 500)) "$build/examples/$1" >"$temp/folder/$i"
    done
    (cd "$temp/folder" && example "$1") >"$temp/out" 2>"$temp/err" || return
    [ "$(cat "$temp/err")" = "..............." ] || return
    (cd "$temp/folder" && sum [0-9]*) | sort >"$temp/sorted"
    sort "$temp/out" | diff "$temp/sorted" -
}

# As `wc` has it, also of bytes that are no letters; one that is missing ends it.
counts_words() {
    printf ' no\n\302\240 \001\tnewline\303\251 \303\251' >"$temp/short"
    set -- "$1" "$temp/short" "$srcdir"/examples/*.c
    example "$@" >"$temp/out" || return
    shift
    tail -n 1 "$temp/out"
    wc -w "$@" | awk '{ print $1, $2 }' | diff - "$temp/out"
}

names_what_is_missing() {
    ! example "$1" "$srcdir/README.md" "$temp/nothing" "$temp/neither" \
        >"$temp/out" 2>"$temp/err" && [ ! -s "$temp/out" ] &&
        [ "$(cat "$temp/err")" = "cannot open $temp/nothing" ]
}

# From a server of its own on loopback: a page, one that is not there, a port
# where nobody listens (the server's, once it has gone), and a page that never
# comes.
server=
start_server() {
    "$build/tests/web_server" >"$temp/port" 2>&1 &
    server=$!
}

listens() {
    until [ -s "$temp/port" ]; do
        kill -0 "$server" || return
        sleep 0.05
    done
    cat "$temp/port"
}

stop_server() {
    kill "$server"
    wait "$server" 2>/dev/null || :
}

downloads() { # NAME MILLISECONDS EXPECTED URL...
    printf '%b' "$3" >"$temp/wanted"
    program=$1 milliseconds=$2
    shift 3
    example "$program" "$milliseconds" "$@" >"$temp/out" || return
    diff "$temp/wanted" "$temp/out"
}

# And on stderr, who waited where.
backs_out() {
    example "$1" >"$temp/out" 2>"$temp/err" || return
    cat "$temp/err"
    same "$1" && grep -q 'waits for mutex "account 1" in run' "$temp/err" &&
        grep -q '^weft: deadlock: 2 threads wait for each other' "$temp/err"
}

is_short() { # FILE
    lines=$(wc -l <"$1")
    echo "$lines lines"
    [ "$lines" -le 60 ]
}

for source in "$srcdir"/examples/[0-9]*.c; do
    file=${source##*/}
    name=${file%.c}
    case $name in
    01_* | 26_*) ok "$name" prints_in_any_order "$name" ;;
    04_*) ok "$name" prints_but_for '\(native id \)[0-9]*' "$name" ;;
    08_*) ok "$name" prints_but_for '^\(broken: \)[0-9]*' "$name" ;;
    09_*) ok "$name" prints_but_for '^\(broken: gave up \)[0-9]*' "$name" ;;
    18_*) ok "$name" shows_who_is_where ;;
    19_*) ;; # below
    33_*) ok "$name" adds_up_files "$name" ;;
    34_*)
        ok "$name" counts_words "$name"
        ok "$name, of a missing file" names_what_is_missing "$name"
        ;;
    35_*)
        [ -x "$build/tests/web_server" ] || continue
        start_server
        ok "the server listens" listens
        web=http://127.0.0.1:$(cat "$temp/port")
        ok "$name" downloads "$name" 60000 \
            "$web/page: it happened\n$web/none: HTTP response code said error\n$web/page: it happened\n" \
            "$web/page" "$web/none" "$web/page"
        ok "$name, one that never comes" downloads "$name" 50 \
            "$web/slow: the deadline passed first\n" "$web/slow"
        stop_server
        ok "$name, nobody listens" downloads "$name" 60000 \
            "$web/page: Couldn't connect to server\n" "$web/page"
        ;;
    36_*) # qemu-user cannot tell who owns a lock
        [ -n "${RUN-}" ] || ok "$name" backs_out "$name"
        ;;
    *) ok "$name" prints "$name" ;;
    esac
    ok "$file has at most 60 lines" is_short "$source"
    ok "$file is in the list" grep -q "^| \[$file\]" "$srcdir/examples/README.md"
done

# The log monitor, on files that are written, rotated and cut meanwhile.
monitor=
start_monitor() { # FILE...
    # shellcheck disable=SC2086
    (cd "$temp" && exec ${RUN-} "$build/examples/19_log_monitor" "$@") \
        >"$temp/out" 2>"$temp/err" &
    monitor=$!
}

wait_for() { # LINE: up to a minute, as long as the monitor lives
    tries=0
    until grep -qxF "$1" "$temp/out"; do
        tries=$((tries + 1))
        [ "$tries" -le 600 ] && kill -0 "$monitor" || {
            cat "$temp/err"
            return 1
        }
        sleep 0.1
    done
}

lines_of() { # FILE EXPECTED: in the order in which they were written
    grep "^$1: " "$temp/out" | sed 's/^[^ ]* //' >"$temp/of"
    printf '%b' "$2" | diff - "$temp/of"
}

echo "not news" >"$temp/a.log"
: >"$temp/b.log"
start_monitor a.log b.log missing.log
ok "it follows the first file" wait_for "a.log: following"
ok "and the second" wait_for "b.log: following"
echo "one" >>"$temp/a.log"
printf "half" >>"$temp/b.log"
ok "a new line is seen" wait_for "a.log: one"
echo " a line" >>"$temp/b.log"
ok "half a line waits for its end" wait_for "b.log: half a line"
echo "two, the last" >>"$temp/a.log"
mv "$temp/a.log" "$temp/a.log.1"
echo "three, in a new file that is longer than the old one" >"$temp/a.log"
ok "a rotated file is followed" wait_for "a.log: three, in a new file that is longer than the old one"
echo "cut" >"$temp/b.log"
ok "a file cut short, too" wait_for "b.log: cut"
echo "four" >>"$temp/a.log"
echo "end" >>"$temp/b.log"
kill -TERM "$monitor"
monitor_status=0
wait "$monitor" || monitor_status=$?
ok "it ends well when it is told to" test "$monitor_status" = 0
ok "all of one file, in order" lines_of a.log \
    'following\none\ntwo, the last\nthree, in a new file that is longer than the old one\nfour\n'
ok "all of the other" lines_of b.log 'following\nhalf a line\ncut\nend\n'
ok "what it cannot follow it says" grep -q "cannot follow missing.log" "$temp/err"
tap_end
