#!/bin/sh
# SPDX-License-Identifier: MIT
# test_stress_cli.sh - what weft-stress says on its command line, with which
# exit status it ends, and which files it leaves.
: "${srcdir:=$(dirname "$0")/..}"
. "$srcdir/tests/tap.sh"
build=$PWD
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
short='--duration 10ms'

become() { # ARGUMENT...: replaces the shell, which signals then find
    if [ -n "${RUN-}" ]; then
        exec "$build/libtool" --mode=execute $RUN "$build/weft-stress" "$@"
    fi
    exec "$build/weft-stress" "$@"
}

stress() (
    become "$@"
)

# gives STATUS ARGUMENT...: that exit status; the output is in $temp/out, err
gives() {
    want=$1
    shift
    got=0
    stress "$@" >"$temp/out" 2>"$temp/err" || got=$?
    [ "$got" = "$want" ] && return
    echo "weft-stress $*: exit status $got"
    cat "$temp/out" "$temp/err"
    return 1
}

# refuses STATUS PATTERN ARGUMENT...: one line that has the pattern, no more
refuses() {
    status=$1
    pattern=$2
    shift 2
    gives "$status" "$@" || return
    cat "$temp/err"
    [ "$(wc -l <"$temp/err")" = 1 ] && grep -q -e "$pattern" "$temp/err"
}

# refuses_at_once PATTERN ARGUMENT...: wrong usage, and nothing has been run
refuses_at_once() {
    refuses 2 "$@" && [ ! -s "$temp/out" ]
}

has() { # FILE PATTERN...: each is somewhere in the file
    file=$1
    shift
    for pattern; do
        grep -q -e "$pattern" "$file" || {
            echo "no '$pattern' in:"
            cat "$file"
            return 1
        }
    done
}

only() { # FOLDER NAME...: nothing else is in it
    folder=$1
    shift
    [ "$(ls -A "$folder" | tr '\n' ' ')" = "${*:+$* }" ] || {
        ls -lA "$folder"
        return 1
    }
}

all() { # COMMAND\n...: each of them
    echo "$1" | while read -r command; do
        [ -z "$command" ] || eval "$command" || return 1
    done
}

# What is known
ok "list ends with 0" gives 0 list
ok "list has every scenario with one line" has "$temp/out" \
    '^  tour  *[a-z]' '^  race lost-update  *[a-z]' \
    '^  race read-modify-write  *[a-z]'
ok "--help ends with 0" gives 0 --help
ok "--help names the commands" has "$temp/out" '^  tour ' '^  race ' '^  list '
ok "--version ends with 0" gives 0 --version
ok "race --help ends with 0" gives 0 race --help
ok "race --help has scenarios and options" has "$temp/out" lost-update \
    --variant --duration --threads --rounds --seed --pin --json --csv --help

# The page has an entry for each of them
page=$srcdir/doc/man/weft-stress.1
documented() { # COMMAND: its scenarios and its options
    stress "$1" --help >"$temp/help" || return
    {
        echo "^[.]It Cm $1\$"
        sed -n "s/^  $1 \([a-z-][a-z-]*\) .*/^[.]It Cm \1\$/p" "$temp/help"
        sed -n 's/^  --\([a-z]*\) .*/^[.]It Fl -\1/p' "$temp/help"
    } >"$temp/entries"
    [ "$(wc -l <"$temp/entries")" -ge 9 ] || return
    while read -r entry; do
        grep -q -e "$entry" "$page" || {
            echo "the page has no entry $entry"
            return 1
        }
    done <"$temp/entries"
}
stress list | awk '{ print $1 }' | uniq >"$temp/commands"
while read -r command; do
    ok "the page has $command and its options" documented "$command"
done <"$temp/commands"

# Wrong usage: one line that says what is known, status 2, and nothing is run
ok "no command" refuses_at_once --help
ok "unknown command" refuses_at_once 'list tour race' rac
ok "unknown scenario" refuses_at_once 'race has lost-update' race lost
ok "tour takes no name" refuses_at_once 'no name' tour lost-update
ok "list takes nothing" refuses_at_once 'nothing more' list race
ok "unknown option" refuses_at_once 'race knows --duration' race --fast
ok "unknown short option" refuses_at_once 'race knows' race -x
ok "option without its value" refuses_at_once 'takes a value' race --threads
ok "option with a value too many" refuses_at_once 'wrong option' race --pin=3
for threads in 0 abc '' -1 1, ,1 1,0 1,,2 1.5 1x 0x2 1000001 99999999999999 \
    ' 1'; do
    ok "--threads '$threads'" refuses_at_once 'as 1,2,4,8' race \
        --threads "$threads"
done
for duration in 0 abc '' -1 nan inf 1x 1ss 1e99 99999999999 .; do
    ok "--duration '$duration'" refuses_at_once 'as 2, 0.5' race \
        --duration "$duration"
done
for seed in abc '' -1 0x 0xg 1.5 18446744073709551616; do
    ok "--seed '$seed'" refuses_at_once 'as 7 or 0x5eed' race --seed "$seed"
done
for rounds in 0 abc '' 1,2 1000001; do
    ok "--rounds '$rounds'" refuses_at_once 'whole number' race \
        --rounds "$rounds"
done
for variant in '' wrong broken, broken,wrong Mutex; do
    ok "--variant '$variant'" refuses_at_once broken,mutex race \
        --variant "$variant"
done

# Files that cannot be written are found before anything is run
mkdir "$temp/files"
for file in "$temp/none/x" /dev/null/x "$temp" '' /proc/weft; do
    ok "--json '$file'" refuses_at_once . race $short --json "$file"
    ok "--csv '$file'" refuses_at_once . race $short --csv "$file"
done
ok "--json and --csv into one file" refuses_at_once both race $short \
    --json "$temp/files/x" --csv "$temp/files/x"
same() {
    stress race $short --csv "$temp/files/x" >"$temp/files/x" 2>"$temp/err"
    [ $? = 2 ] && rm "$temp/files/x" && has "$temp/err" 'standard output'
}
ok "--csv into the standard output's file" same
ok "none of them left a file" only "$temp/files"

# Runs
ok "race ends with 0" gives 0 race $short --seed 0x5eed --threads 1,2 --pin
ok "the seed comes first" eval 'head -n 1 "$temp/out" | grep "^seed *0x5eed$"'
ok "the replay command comes last" eval 'tail -n 1 "$temp/out" |
    grep "^replay .* race --duration 0.01 --threads 1,2 --pin --seed 0x5eed$"'
ok "nothing on stderr that is no terminal" test ! -s "$temp/err"
ok "each variant has a verdict or a count" has "$temp/out" \
    '^  mutex .* 0 .* ok$' '^  atomic .* 0 .* ok$' '^  percpu .* 0 .* ok$' \
    'broken, 1 thread: lost none of' 'broken, 2 threads: lost'
again() {
    gives 0 race lost-update $short --rounds 2 --variant mutex,atomic || return
    tail -n 1 "$temp/out" | sed 's/^replay *//' >"$temp/replay"
    [ -n "${RUN-}" ] || sh "$temp/replay" >"$temp/out" || return
    echo "$(tail -n 1 "$temp/out" | sed 's/^replay *//')" |
        diff "$temp/replay" -
}
ok "the replay command runs, and is its own" again
ok "only the variants asked for" eval \
    'has "$temp/out" "^  mutex" "^  atomic" && ! grep "^  broken  *[0-9]" "$temp/out"'
ok "options may come first" gives 0 race $short --variant mutex lost-update
ok "several names" gives 0 race $short lost-update read-modify-write
ok "each has a heading" has "$temp/out" '^race lost-update$' \
    '^race read-modify-write$'
ok "tour ends with 0" gives 0 tour $short --rounds 1
ok "tour has its parts" has "$temp/out" '^1. A race$' '^2. Three cures$' \
    '^3. Contention$' '^What next$'
ok "no colour where no terminal is" eval \
    '! grep "$(printf "\033")" "$temp/out"'
ok "tour stays within 80 columns" eval \
    '! grep -v "^replay" "$temp/out" | grep "^.\{81\}"'

# Files
if gives 0 race $short --json "$temp/files/a.json" >/dev/null; then
    ok "the JSON has it all" has "$temp/files/a.json" '"seed": "0x' \
        '"replay": "' '"variant": "broken"' '"verdict": "ok"'
    ok "both files" gives 0 race $short --json "$temp/files/a.json" \
        --csv "$temp/files/a.csv"
    ok "nothing but the files" only "$temp/files" a.csv a.json
else
    ok "a build without JSON says so" refuses_at_once jansson race $short \
        --json "$temp/files/a.json"
fi
rm -f "$temp/files/a.json"
ok "a file" gives 0 race $short --csv "$temp/files/a.csv"
ok "nothing but the file" only "$temp/files" a.csv
ok "the CSV has it all" has "$temp/files/a.csv" '^run,seed,0x' \
    '^table,scenario,variant,threads,' '^updates,lost-update,mutex,2,'
modes() {
    touch "$temp/plain"
    [ "$(stat -c %a "$temp/plain")" = "$(stat -c %a "$temp/files/a.csv")" ]
}
ok "files have the usual mode" modes
ln -s a.csv "$temp/files/link"
ok "a symbolic link" gives 0 race $short --csv "$temp/files/link"
ok "it stays one" test -L "$temp/files/link"
rm "$temp/files/link"
ok "a full device" refuses 1 'No space left' race $short --csv /dev/full
too_large() {
    (
        ulimit -f 1
        stress race $short --csv "$temp/files/a.csv" --threads 1,1,1,1,1,1 \
            2>&1 >/dev/null
        [ $? = 1 ]
    ) >"$temp/err" && has "$temp/err" 'cannot write .*a.csv: .* too large'
}
echo old >"$temp/files/a.csv"
ok "a file that hits a limit" too_large
ok "what was there is still there" eval \
    '[ "$(cat "$temp/files/a.csv")" = old ]'
ok "no part of a file" only "$temp/files" a.csv

# Output that gets lost
into() { # REDIRECTION
    got=0
    eval "stress list $1" 2>"$temp/err" || got=$?
    [ "$got" = 1 ] && has "$temp/err" 'standard output'
}
ok "a full standard output" into '>/dev/full'
ok "a closed standard output" into '>&-'
broken_pipe() {
    # Once `yes` has ended nobody reads any more.
    { yes; stress list 2>"$temp/err"; echo $? >"$temp/status"; } 2>/dev/null |
        true
    [ "$(cat "$temp/status")" = 1 ] && has "$temp/err" 'standard output'
}
ok "a broken pipe" broken_pipe

# More threads than there is room for; a sanitizer itself wants more room
if (ulimit -v 2000000 && gives 0 list) >/dev/null 2>&1 && [ -z "${RUN-}" ]; then
    too_many() (
        ulimit -v 2000000
        refuses 1 'cannot start thread [0-9]* of 2000: [A-Z]' race $short \
            --threads 2000 --csv "$temp/files/b.csv"
    )
    ok "more threads than the system grants" too_many
    ok "no file is written then" only "$temp/files" a.csv
fi

# Signals: the run ends at once, says so, and keeps what it has
stop() { # SIGNAL
    rm -f "$temp/files/a.csv"
    : >"$temp/out"
    become race --duration 1m --variant broken --csv "$temp/files/a.csv" \
        >"$temp/out" 2>"$temp/err" &
    until grep -q Threads "$temp/out"; do
        sleep 0.1
    done
    kill -s "$1" $!
    got=0
    wait $! || got=$?
    echo "exit status $got"
    [ "$got" = 1 ] && has "$temp/out" '^stopped' '^replay' &&
        has "$temp/files/a.csv" '^run,stopped,'
}
ok "SIGINT ends a run" stop INT
ok "SIGTERM ends a run" stop TERM

# A terminal
if command -v script >/dev/null && [ -z "${RUN-}" ]; then
    on_terminal() {
        script -qec "$build/weft-stress race lost-update --duration 1.2 \
            --variant mutex" /dev/null >"$temp/out"
        tr '\r' '\n' <"$temp/out" >"$temp/lines"
        has "$temp/lines" '^mutex, 2 threads: 1 of 1 s'
    }
    ok "a progress line on a terminal" on_terminal
    colours() { # ENVIRONMENT: how many lines have one
        script -qec "env $1 $build/weft-stress tour --rounds 1 $short" \
            /dev/null | grep -c "$(printf '\033')"
    }
    ok "headings stand out on a terminal" \
        eval '[ "$(colours TERM=xterm)" -ge 4 ]'
    ok "unless NO_COLOR is set" eval '[ "$(colours NO_COLOR=1)" = 0 ]'
fi
tap_end
