#!/bin/sh
# SPDX-License-Identifier: MIT
# test_deadlock_cli.sh - weft-deadlock changes nothing of a program that has no
# deadlock, says what it found of one that has, and refuses what it cannot watch.
: "${srcdir:=$(dirname "$0")/..}"
. "$srcdir/tests/tap.sh"
: "${CC:=cc}"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
tool=$PWD/weft-deadlock

# Compile one of the programs of tests/deadlock, or what stands on standard input.
compile() { # NAME [FLAGS...]
    name=$1
    shift
    source=$srcdir/tests/deadlock/$name.c
    test -f "$source" || source="-x c -"
    # shellcheck disable=SC2086 # two words
    $CC -std=gnu11 -D_GNU_SOURCE -g -O1 -pthread -I"$srcdir/tests/deadlock" \
        -o "$dir/$name" $source "$@"
}

# The status and the output of a command are these.
gives() { # STATUS OUTPUT COMMAND...
    wanted=$1 text=$2
    shift 2
    status=0
    said=$(timeout 60 "$@" 2>"$dir/err") || status=$?
    cat "$dir/err"
    echo "status $status, said: $said"
    test "$status" = "$wanted" && test "$said" = "$text"
}


for name in two_mutexes idle_workers lost_signal; do
    ok "$name is compiled" compile "$name"
done

# --- what a program without a deadlock is like ---
ok "output and status are the program's" \
    gives 7 "a b" "$tool" sh -c 'echo "$1 $2"; exit 7' sh a b
ok "nothing is said of it" test ! -s "$dir/err"
ok "a program killed by a signal is" gives 143 "" "$tool" sh -c 'kill $$'
ok "a program with threads ends as it does" \
    gives 0 "" "$tool" "$dir/idle_workers"
ok "options behind the program are its own" \
    gives 0 "--json" "$tool" echo --json
same_process() {
    # shellcheck disable=SC2016 # for the inner shell
    sh -c 'echo $$; exec "$0" sh -c "echo \$\$"' "$tool" | uniq | wc -l
}
ok "it is the process that was started" test "$(same_process)" = 1

# --- what one with a deadlock is like ---
ok "two mutexes: status 66" gives 66 "" "$tool" "$dir/two_mutexes"
ok "the report counts the threads" grep -q "2 threads wait" "$dir/err"
ok "the report has the line of a wait" grep -q "two_mutexes.c:12" "$dir/err"
ok "the report has the line of what is held" \
    grep -q "taken in forward (.*two_mutexes.c:10" "$dir/err"
ok "another status if asked for" \
    gives 9 "" "$tool" --exit-status=9 "$dir/two_mutexes"
ok "a file for the report" \
    gives 66 "" "$tool" -o "$dir/report" "$dir/two_mutexes"
ok "then nothing on standard error" test ! -s "$dir/err"
ok "and all in the file" grep -q "2 threads wait" "$dir/report"
in_folder() { # a file with a relative name, and a program that goes elsewhere
    (cd "$dir" && gives 66 "" "$tool" --json=found.json --graph=found.dot \
        sh -c 'cd / && exec "$0"' "$dir/two_mutexes")
}
ok "JSON and a graph, in the folder of the start" in_folder
ok "the JSON names the shape" grep -q '"shape": *"cycle"' "$dir/found.json"
ok "the graph is one" grep -q "^digraph" "$dir/found.dot"
kept() { # it tells, and still hangs a little later
    "$tool" --keep -o "$dir/kept" "$dir/two_mutexes" &
    pid=$!
    patience=600
    while ! test -s "$dir/kept" && [ $((patience -= 1)) -gt 0 ]; do
        sleep 0.1
    done
    sleep 0.5
    kill "$pid" && wait "$pid"
    test "$(grep -c "threads wait for" "$dir/kept")" = 1
}
ok "kept, it hangs on after one report" kept
ok "a script's interpreter that executes it" \
    gives 66 "" "$tool" sh -c 'exec "$0"' "$dir/two_mutexes"
ok "a program that it starts is not watched" \
    gives 124 "" "$tool" sh -c 'timeout 1 "$0"; exit $?' "$dir/two_mutexes"
ok "unless asked for" \
    gives 66 "" "$tool" --children sh -c 'timeout 20 "$0"; exit $?' \
    "$dir/two_mutexes"

ok "a program that forks is compiled" compile forks <<'END'
#include "common.h"
int
main(void)
{
    int status;
    pthread_mutex_t m = MUTEX;

    join(start((void *(*)(void *))(void (*)(void))pthread_mutex_trylock, &m));
    const pid_t child = fork();
    if (child == 0) {
        alarm(1);
        lock(&m); /* its owner has no copy in the child */
    }
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? 8 : WEXITSTATUS(status);
}
END
ok "the child of a fork is not watched" gives 8 "" "$tool" "$dir/forks"

# --- what could happen ---
sorted() {
    compile could_bank && "$tool" "$dir/could_bank" 2>"$dir/bank"
    grep -q "threads: one place takes them all, .* let it sort them" \
        "$dir/bank" && ! grep -q "one place" "$dir/err"
}
ok "could_two_mutexes is compiled" compile could_two_mutexes
ok "what could happen: status 66" gives 66 "" "$tool" "$dir/could_two_mutexes"
ok "the report says that it could" \
    grep -q "deadlock that could happen: 2 threads would" "$dir/err"
ok "who holds what is wanted, since where" \
    grep -q "which thread 2 .* holds since forward (.*_mutexes.c:10)" "$dir/err"
ok "the order that was there first is the one to keep" \
    grep -q "before .* in backward (.*c:21), too, as in forward" "$dir/err"
ok "one place for all: it is to sort them" sorted
ok "it is told once" test "$(grep -c "could happen" "$dir/err")" = 1
ok "unless it is not asked for" \
    gives 0 "" "$tool" --no-predict "$dir/could_two_mutexes"
ok "then nothing is said" test ! -s "$dir/err"
level_is() { # LEVEL COMMAND...
    level=$1
    shift
    rm -f "$dir/could.json"
    "$tool" --json="$dir/could.json" "$@" 2>/dev/null
    grep -q "\"certain\":false,\"level\":\"$level\"" "$dir/could.json"
}
ok "JSON: feasible" level_is feasible "$dir/could_two_mutexes"
ok "gate is compiled" compile gate
ok "locks that are kept apart: nothing" gives 0 "" "$tool" "$dir/gate"
ok "JSON: order, if asked for" level_is order --order "$dir/gate"
ok "what keeps them apart is said" \
    gives 66 "" "$tool" --order "$dir/gate"
ok "in a sentence" grep -q "kept apart in this run: a lock that" "$dir/err"
ok "a program that goes on is compiled" compile goes_on <<'END'
#include "common.h"
static pthread_mutex_t first = MUTEX, second = MUTEX;
static void *
forward(void *unused)
{
    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
    pause();
    return unused;
}
int
main(void)
{
    start(forward, NULL);
    apart();
    lock(&second);
    lock(&first);
    pause();
}
END
goes_on() { # it tells while the program goes on, and does not end it
    "$tool" -o "$dir/goes_on.report" "$dir/goes_on" &
    pid=$!
    patience=600
    while ! grep -q "To mend" "$dir/goes_on.report" 2>/dev/null &&
        [ $((patience -= 1)) -gt 0 ]; do
        sleep 0.1
    done
    kill "$pid" && ! wait "$pid" && grep -q "could happen" "$dir/goes_on.report"
}
ok "it is told while the program goes on" goes_on
ok "a program that ends at once is compiled" compile could_ends_at_once
ok "_exit waits until it is told" \
    gives 66 "" "$tool" "$dir/could_ends_at_once"
ok "and it was" grep -q "could happen" "$dir/err"

# --- an allocator beside it ---
# Such as tcmalloc: it sets itself up under a lock that it spins for, and there
# and in each mmap it runs something once.
cat >"$dir/allocator.c" <<'END'
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
static atomic_int ready, busy;
static pthread_once_t set_up = PTHREAD_ONCE_INIT, mapped = PTHREAD_ONCE_INIT;
static void nothing(void) {}
static void
begin(void)
{
    if (ready)
        return;
    while (atomic_exchange(&busy, 1))
        sched_yield();
    if (!ready)
        pthread_once(&set_up, nothing);
    ready = 1;
    busy = 0;
}
void *
malloc(size_t bytes)
{
    begin();
    return __libc_malloc(bytes);
}
void *
calloc(size_t count, size_t bytes)
{
    begin();
    return __libc_calloc(count, bytes);
}
static void *volatile kept;
__attribute__((constructor)) static void
first(void)
{
    kept = malloc(1);
}
void *
mmap(void *at, size_t bytes, int rights, int flags, int fd, off_t offset)
{
    pthread_once(&mapped, nothing);
    return (void *)syscall(SYS_mmap, at, bytes, rights, flags, fd, offset);
}
END
ok "an allocator is compiled" $CC -shared -fPIC -O1 -w -o "$dir/allocator.so" \
    "$dir/allocator.c"
ok "beside it two mutexes are found: 66" \
    gives 66 "" env LD_PRELOAD="$dir/allocator.so" "$tool" "$dir/two_mutexes"
ok "and the report is the same" grep -q "2 threads wait" "$dir/err"
ok "beside it a program ends as it does" \
    gives 0 "" env LD_PRELOAD="$dir/allocator.so" "$tool" "$dir/idle_workers"
ok "and nothing is said" test ! -s "$dir/err"

# --- a sandbox ---
# In which memory may not be read as the checker likes to.
cat >"$dir/sandbox.c" <<'END'
#include <unistd.h>
#include "sandbox.h"
int
main(int argc, char **argv)
{
    if (argc < 2 || forbid_reading() != 0)
        return 99;
    execvp(argv[1], argv + 1);
    return 98;
}
END
if $CC -I"$srcdir/tests/deadlock" -o "$dir/sandbox" "$dir/sandbox.c" &&
    "$dir/sandbox" true; then
    ok "in a sandbox two mutexes are found: 66" \
        gives 66 "" "$dir/sandbox" "$tool" "$dir/two_mutexes"
    ok "what could happen is: 66" \
        gives 66 "" "$dir/sandbox" "$tool" "$dir/could_ends_at_once"
    ok "and the report is the same" grep -q "could happen" "$dir/err"
else
    skip "programs in a sandbox" "none can be made here"
fi

# --- what is refused ---
one_line() { # STATUS WORDS COMMAND...
    wanted=$1 words=$2
    shift 2
    gives "$wanted" "" "$@" && test "$(wc -l <"$dir/err")" = 1 &&
        grep -q "$words" "$dir/err"
}
ok "a program that is not there: 127" one_line 127 "No such file" "$tool" /nope
ok "nor in PATH: 127" one_line 127 "No such file" "$tool" nope-nope
echo 'int main(void){return 0;}' >"$dir/plain.c"
cp "$dir/plain.c" "$dir/text"
ok "a file that cannot be executed: 126" \
    one_line 126 "Permission denied" "$tool" "$dir/text"
ok "a folder: 126" one_line 126 "is not a program" "$tool" "$dir"
if $CC -static -o "$dir/static" "$dir/plain.c" 2>/dev/null; then
    ok "a static program: 2" one_line 2 "statically" "$tool" "$dir/static"
    printf '#!%s\n' "$dir/static" >"$dir/script"
    chmod +x "$dir/script"
    ok "a script for one: 2" one_line 2 "statically" "$tool" "$dir/script"
else
    skip "a static program" "none can be linked here"
fi
$CC -o "$dir/suid" "$dir/plain.c"
if test "$(id -u)" = 0 && chown 12345 "$dir/suid" && chmod 4755 "$dir/suid" &&
    test -u "$dir/suid"; then
    ok "a set-user-id program: 2" one_line 2 "set-user-id" "$tool" "$dir/suid"
else
    skip "a set-user-id program" "only root can make one of another user"
fi
for sanitizer in address thread; do
    if $CC -fsanitize=$sanitizer -pthread -o "$dir/$sanitizer" "$dir/plain.c" \
        2>/dev/null && ldd "$dir/$sanitizer" | grep -q 'lib[at]san\.so'; then
        ok "a program with the $sanitizer sanitizer: 2" \
            one_line 2 "sanitizer" "$tool" "$dir/$sanitizer"
    else
        skip "a program with the $sanitizer sanitizer" "it is in no library here"
    fi
done
ok "no program: 2" gives 2 "" "$tool"
ok "a program that runs already: 2" one_line 2 "runs already" "$tool" -p $$
ok "the same in words: 2" one_line 2 "runs already" "$tool" --pid=$$
no_file() { # it is no name of a file that would be made
    (cd "$dir" && one_line 2 "/dev/stdout" "$tool" --json=- true && test ! -e -)
}
ok "a file named -: 2" no_file
ok "an unknown option: 2" gives 2 "" "$tool" --nope true
ok "a status that is none: 2" one_line 2 "no exit status" \
    "$tool" --exit-status=300 true
ok "a file that cannot be written: 2" one_line 2 "No such file" \
    "$tool" --json=/nope/x true
ok "a shim that is not there: 2" one_line 2 "No such file" \
    env WEFT_DEADLOCK_SHIM=/nope/x.so "$tool" true

# --- the programs whose deadlocks are known, a few of them ---
ok "some of those of make check-deadlock" \
    env srcdir="$srcdir" "$srcdir/tests/deadlock/check.sh" "$dir/known" \
    self upgrade_two orphan join_each_other once_crossed woken_but_locked_out \
    barrier_with_one_missing handler_posts handed_over many_threads cpp_mutexes

tap_end
