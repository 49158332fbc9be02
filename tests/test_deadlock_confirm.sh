#!/bin/sh
# SPDX-License-Identifier: MIT
# test_deadlock_confirm.sh - weft-deadlock --confirm: a program runs again, with
# its threads held up where they could meet.
: "${srcdir:=$(dirname "$0")/..}"
. "$srcdir/tests/tap.sh"
: "${CC:=cc}"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
tool=$PWD/weft-deadlock

# Compile one of the programs of tests/deadlock, or what stands on standard input.
compile() { # NAME
    source=$srcdir/tests/deadlock/$1.c
    test -f "$source" || source="-x c -"
    # shellcheck disable=SC2086 # two words
    $CC -std=gnu11 -D_GNU_SOURCE -g -O1 -pthread -I"$srcdir/tests/deadlock" \
        -o "$dir/$1" $source
}

# The status of a command is this; what it wrote is in err and out.
gives() { # STATUS COMMAND...
    wanted=$1
    shift
    status=0
    timeout 60 "$@" >"$dir/out" 2>"$dir/err" || status=$?
    cat "$dir/err"
    echo "status $status"
    test "$status" = "$wanted"
}
said() { # WORDS
    grep -q -- "$1" "$dir/err"
}
# On a busy machine threads may be too late for each other, or meet at once.
confirms() { # NAME
    for _ in 1 2 3; do
        gives 66 "$tool" --confirm "$dir/$1" &&
            said "^weft: confirmed: deadlock 1" && return 0
    done
    return 1
}
is_only() { # LINE: all that standard output has
    test "$(cat "$dir/out")" = "$1"
}

# --- what happens when it is helped ---
for name in could_two_mutexes could_three two_mutexes; do
    ok "$name is compiled" compile "$name"
done
ok "two locks in opposite orders" \
    gives 66 "$tool" --confirm "$dir/could_two_mutexes"
ok "are told as what could happen" said "deadlock that could happen: 2 threads"
ok "and then as what happens" said "^weft: deadlock: 2 threads wait for"
ok "which confirms it" said "weft: confirmed: deadlock 1 happened in run 2"
ok "three threads in a ring" gives 9 "$tool" --confirm --exit-status=9 \
    -o "$dir/report" --json="$dir/json" "$dir/could_three"
ok "is confirmed, in the file" grep -q "weft: confirmed: deadlock 1" "$dir/report"
ok "and in JSON told twice: it could, it does" sh -c '
    test "$(grep -c "\"level\":\"feasible\"" "$1")" = 1 &&
        test "$(grep -c "\"certain\":true" "$1")" = 1' sh "$dir/json"

# --- what waits for more than locks ---
for name in could_join could_barrier could_nested_monitor could_once; do
    ok "$name is compiled" compile $name
    ok "$name happens when it is helped" confirms "$name"
done
ok "more threads than fit on a page" compile could_twenty
ok "twenty philosophers meet" gives 66 "$tool" --confirm "$dir/could_twenty"
ok "all of them" said "^weft: deadlock: 20 threads wait for each other"

# --- one place for many objects ---
ok "a bank is compiled" compile bank <<'END'
#include "common.h"

static pthread_mutex_t account[6] = {MUTEX, MUTEX, MUTEX, MUTEX, MUTEX, MUTEX};
static const int transfer[][2] = {{0, 1}, {2, 3}, {4, 5}, {1, 0}};

static void *
pay(void *arg)
{
    const int *t = arg;

    lock(&account[t[0]]);
    lock(&account[t[1]]);
    unlock(&account[t[1]]);
    unlock(&account[t[0]]);
    return NULL;
}

int
main(void)
{
    pthread_t t[4];

    for (int i = 0; i < 4; i++) {
        t[i] = start(pay, (void *)(size_t)transfer[i]);
        apart();
    }
    for (int i = 0; i < 4; i++)
        join(t[i]);
    return 0;
}
END
ok "two of four at one place that have each other's accounts meet" confirms bank

# --- what does not happen ---
ok "a program is compiled with an order that nobody sees" compile kept_apart <<'END'
#include "common.h"

#include <stdatomic.h>

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static _Atomic int done;

static void *
forward(void *unused)
{
    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
    atomic_store(&done, 1);
    return unused;
}

static void *
backward(void *unused)
{
    while (atomic_load(&done) == 0)
        sleep_ms(1);
    lock(&second);
    lock(&first);
    unlock(&first);
    unlock(&second);
    return unused;
}

int
main(void)
{
    puts("run");
    run_both(forward, backward);
    return 0;
}
END
ok "it was told all the same" gives 66 "$tool" --confirm "$dir/kept_apart"
ok "and is not confirmed" \
    said "weft: not confirmed: deadlock 1 did not happen in run 2$"
fails "nor told as what happens" said "^weft: deadlock: "
ok "only the first run writes" is_only run

ok "a program whose second run has a helper, and hangs elsewhere" \
    compile helped <<'END'
#include "common.h"

#include <fcntl.h>
#include <stdbool.h>

static pthread_mutex_t outer = MUTEX, m = MUTEX, alone = MUTEX;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int ready;
static bool is_first;
static _Atomic bool passed, waiting;

static void *
waits(void *unused)
{
    while (is_first && !passed)
        sleep_ms(1);
    lock(&outer);
    lock(&m);
    waiting = true;
    while (!ready)
        pthread_cond_wait(&c, &m);
    unlock(&m);
    unlock(&outer);
    return unused;
}

static void *
tells(void *unused)
{
    while (!waiting)
        sleep_ms(1);
    lock(&m);
    ready = 1;
    pthread_cond_signal(&c);
    unlock(&m);
    return unused;
}

static void *
signals(void *unused)
{
    lock(&outer);
    unlock(&outer);
    passed = true;
    return tells(unused);
}

int
main(int argc, char **argv)
{
    is_first = argc > 1 && open(argv[1], O_CREAT | O_EXCL | O_RDWR, 0600) >= 0;
    if (is_first) {
        run_apart(signals, waits);
        return 0;
    }
    const pthread_t t = start(tells, NULL);
    run_apart(signals, waits);
    join(t);
    lock(&alone);
    lock(&alone);
    return 0;
}
END
ok "it could hang" gives 66 "$tool" --confirm "$dir/helped" "$dir/ran"
ok "it does, elsewhere" said "^weft: deadlock: "
ok "which confirms nothing" said "weft: not confirmed: deadlock 1"

# --- what is the program's ---
# shellcheck disable=SC2016 # for the inner shell
ok "status and output of one that could not deadlock" \
    gives 7 "$tool" --confirm sh -c 'echo $$ >>"$0"; echo once; exit 7' "$dir/pids"
ok "it was written once" is_only once
ok "in one run" test "$(wc -l <"$dir/pids")" = 1
# shellcheck disable=SC2016
ok "one that is killed by a signal is" \
    gives 143 "$tool" --confirm sh -c 'kill $$'
ok "one that is not there: 127" gives 127 "$tool" --confirm /nope
ok "one that hangs by itself: 66" gives 66 "$tool" --confirm "$dir/two_mutexes"
fails "and is not run again" said confirmed

ok "a program that reads is compiled" compile reads <<'END'
#include "common.h"

static pthread_mutex_t m[2] = {MUTEX, MUTEX};

static void *
both_locks(void *arg)
{
    const long i = (long)arg;

    lock(&m[i]);
    lock(&m[1 - i]);
    unlock(&m[1 - i]);
    unlock(&m[i]);
    return NULL;
}

int
main(void)
{
    if (getchar() != 'x')
        return 3;
    const pthread_t a = start(both_locks, (void *)0L);
    sleep_ms(50);
    const pthread_t b = start(both_locks, (void *)1L);
    join(a);
    join(b);
    return 0;
}
END
echo x >"$dir/input"
reads() { # one place in the code, two threads, and a file that is read twice
    gives 66 "$tool" --confirm "$dir/reads" <"$dir/input"
}
ok "a file on standard input is read again" reads
ok "and what it leads to confirmed" said "weft: confirmed"

tap_end
