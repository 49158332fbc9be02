#!/bin/sh
# SPDX-License-Identifier: MIT
# test_word_count.sh - the examples do what they say: word_count counts what
# `wc -w` counts, whatever the ring and wherever a chunk ends.
: "${srcdir:=$(dirname "$0")/..}"
. "$srcdir/tests/tap.sh"
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
export LC_ALL=C

word_count() {
    # shellcheck disable=SC2086 # RUN may be an emulator with options
    ${RUN-} ./examples/word_count "$@"
}

# The words of the files listed in LIST.  In the C locale a byte that is not
# printable makes no word by itself to wc of coreutils 9.1; where wc has it
# otherwise such bytes are taken out before.
wc_words() { # LIST
    if [ "$(printf '\001' | wc -w)" = 0 ]; then
        tr '\n' '\0' <"$1" | wc -w --files0-from=- | awk 'END { print $1 }'
    else
        while read -r file; do
            tr -cd '[:print:][:space:]' <"$file" | wc -w
        done <"$1" | awk '{ sum += $1 } END { print sum + 0 }'
    fi
}

agree() { # LIST OPTIONS...
    list=$1
    shift
    word_count "$@" - <"$list" >"$temp/out" || return
    expected=$(wc_words "$list")
    sed -n 1p "$temp/out"
    echo "wc -w: $expected"
    [ "$(awk 'NR == 1 { print $1 }' "$temp/out")" = "$expected" ]
}

status() { # STATUS COMMAND...
    wanted=$1 got=0
    shift
    "$@" >"$temp/out" 2>"$temp/err" || got=$?
    cat "$temp/err"
    [ "$got" = "$wanted" ]
}

files=2000
if [ -n "${RUN-}" ] || grep -q __tsan_init ./examples/word_count; then
    files=400 # each takes many times as long
fi
find /usr/include -type f -size -1000k | sort | head -n "$files" >"$temp/real"
ok "a tree of real files is there" test -s "$temp/real"
ok "real files" agree "$temp/real"
ok "two speeds and their ratio are printed" awk '
    /^serial .* MB\/s$/ { serial = 1 }
    /^parallel .* MB\/s, [0-9.]+ times as fast/ { parallel = 1 }
    END { exit !(serial && parallel) }' "$temp/out"
for ring in lockfree lockless mutex; do
    ok "real files, $ring, more threads than CPUs" \
        agree "$temp/real" --ring "$ring" --readers 5 --counters 4
done
ok "one thread alone" agree "$temp/real" --serial
ok "then there is no parallel speed" awk '/parallel/ { exit 1 }' "$temp/out"

# What can go wrong where a chunk of 65536 bytes ends.
run_of() { # COUNT BYTE
    head -c "$1" /dev/zero | tr '\0' "$2"
}
mkdir "$temp/borders"
for n in 65534 65535 65536 65537 131071 131072 131073; do
    run_of "$n" x >"$temp/borders/word-$n"
    run_of "$n" ' ' >"$temp/borders/blank-$n"
    run_of "$n" '\001' >"$temp/borders/nothing-$n"
    { run_of "$n" x; echo ' y z'; } >"$temp/borders/word-and-more-$n"
    { run_of "$n" ' '; echo 'y z'; } >"$temp/borders/blank-and-more-$n"
    { echo x; run_of "$n" '\001'; echo y; } >"$temp/borders/gap-$n"
    { printf x; run_of "$n" '\001'; echo y; } >"$temp/borders/long-$n"
    { printf ' '; run_of "$n" '\001'; echo y; } >"$temp/borders/late-$n"
done
: >"$temp/borders/empty"
head -c 300000 "$(command -v awk)" >"$temp/borders/binary"
find "$temp/borders" -type f >"$temp/tricky"
for shape in word-6 word-1 blank-6 blank-1 nothing word-and blank-and gap long \
    late empty binary; do
    grep "/borders/$shape" "$temp/tricky" >"$temp/shape"
    ok "where a chunk ends: $shape" agree "$temp/shape"
done
# shellcheck disable=SC2016 # eval expands what single quotes keep
ok "a directory stands for the files below it" eval '
    word_count "$temp/borders" >"$temp/out" &&
    [ "$(awk "NR == 1 { print \$1 }" "$temp/out")" = "$(wc_words "$temp/tricky")" ]'

echo 'one two' >"$temp/two"
ok "a file that is not there: 1" \
    status 1 word_count "$temp/two" "$temp/missing" "$temp/two"
ok "with one line that names it" \
    test "$(cat "$temp/err")" = "word_count: $temp/missing: No such file or directory"
ok "and the others are counted" grep -q '^4 words, 2 files' "$temp/out"
ok "a file that cannot be read: 1" status 1 word_count /proc/self/mem
ok "with one line" test "$(grep -c /proc/self/mem "$temp/err")" = 1
# shellcheck disable=SC2016
ok "no words in no bytes" eval 'word_count /dev/null "$temp/borders/empty" |
    grep -q "^0 words, 1 files, 0.0 MB"'
ok "no file: 2" status 2 word_count
ok "an unknown option: 2" status 2 word_count --sideways "$temp/two"
ok "no threads: 2" status 2 word_count --readers 0 "$temp/two"
ok "too many: 2" status 2 word_count --counters 1000 "$temp/two"
ok "an unknown ring: 2" status 2 word_count --ring wedding "$temp/two"

# shellcheck disable=SC2016
ok "first counts them all" eval \
    '[ "$(${RUN-} ./examples/first)" = "20000000 sheep" ]'
tap_end
