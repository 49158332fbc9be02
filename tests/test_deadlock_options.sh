#!/bin/sh
# SPDX-License-Identifier: MIT
# test_deadlock_options.sh - what weft-deadlock does when asked for: dumps after
# a time and on a signal, programs in which nothing runs any more, reports that
# are suppressed.
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
one_line() { # STATUS WORDS COMMAND...
    words=$2
    wanted=$1
    shift 2
    gives "$wanted" "$@" && test "$(wc -l <"$dir/err")" = 1 &&
        grep -q "$words" "$dir/err"
}
said() { # WORDS
    grep -q -- "$1" "$dir/err"
}
silent() {
    test ! -s "$dir/err"
}
is_only() { # LINE
    test "$(cat "$dir/err")" = "$1"
}

# --- after a time ---
ok "a program that creates no thread is ended" \
    gives 66 "$tool" --timeout=0.2 sleep 60
ok "the dump says why" said "time is up: the program has run for 0.2 s"
ok "and has the only thread" said 'thread 1 "sleep" ('
ok "the status asked for" \
    gives 9 "$tool" --exit-status=9 --timeout 0.2 --keep sleep 60
ok "a program that ends before has its own" \
    gives 7 "$tool" --timeout=60 sh -c 'exit 7'
ok "and nothing is said" silent
ok "the time goes on when another program is executed" \
    gives 66 "$tool" --timeout=0.5 sh -c 'sleep 0.1; exec sleep 60'
for bad in 0 x '' 1e3 99999999999; do
    ok "no time: '$bad'" one_line 2 "no time" "$tool" --timeout="$bad" true
done

ok "a program with threads is compiled" compile several <<'END'
#include "common.h"

#include <sys/stat.h>

static pthread_mutex_t m = MUTEX;
static pthread_mutex_t never = MUTEX;

static void *
waiter(void *unused)
{
    pthread_setname_np(pthread_self(), "waiter");
    lock(&m);
    return unused;
}

static void *
timed(void *unused)
{
    struct timespec t = in_ms(60000);

    pthread_setname_np(pthread_self(), "timed");
    lock(&never);
    pthread_mutex_timedlock(&m, &t);
    return unused;
}

static void *
spinner(void *unused)
{
    pthread_setname_np(pthread_self(), "spinner");
    for (volatile int i = 0;; i = i + 1)
        continue;
    return unused;
}

int
main(int count, char **list)
{
    struct stat s;

    lock(&m);
    start(waiter, NULL);
    start(timed, NULL);
    start(spinner, NULL);
    puts("ready");
    fflush(stdout);
    do /* until the dump is there */
        sleep_ms(20);
    while (count < 2 || stat(list[1], &s) != 0 || s.st_size == 0);
    return 5;
}
END
ok "a dump of one with threads" \
    gives 66 "$tool" --timeout=0.5 --json="$dir/json" "$dir/several"
ok "who waits: where" said '"waiter" .* waits for mutex .* in waiter (.*:12)'
ok "who waits: for whom" said 'needs thread 1$'
ok "who waits with a deadline" said '"timed" .*, with a deadline'
ok "who holds: where" said 'holds mutex .*, taken in main'
ok "who holds while he waits" said 'holds mutex .*, taken in timed (.*:22)'
ok "who runs" said '"spinner" ([0-9]*) runs'
fails "the checker is not in it" said '"weft-deadlock"'
ok "the same in JSON" grep -q '"shape":"timeout".*"name":"waiter"' "$dir/json"

# --- on a signal ---
signalled() { # STATUS SIGNAL OPTIONS... PROGRAM...: when it says that it is ready
    wanted=$1 signal=$2
    shift 2
    mkfifo "$dir/fifo"
    "$tool" --timeout=60 "$@" >"$dir/fifo" 2>"$dir/err" &
    pid=$!
    read -r line <"$dir/fifo"
    rm "$dir/fifo"
    test "$line" = ready
    kill "-$signal" "$pid"
    status=0
    wait "$pid" || status=$?
    cat "$dir/err"
    echo "status $status"
    test "$status" = "$wanted"
}
ok "a dump on a signal: the program goes on" \
    signalled 5 QUIT --dump-signal=QUIT "$dir/several" "$dir/err"
ok "it is told why" said "as asked for by a signal"
ok "it has all threads" said '"timed" .*, with a deadline'
ok "a number, or a name as kill(1) has it" \
    signalled 5 USR1 --dump-signal=SIGUSR1 "$dir/several" "$dir/err"
ok "and a dump" said "as asked for by a signal"
ok "not asked for, the signal does what it does" \
    signalled 138 USR1 "$dir/several" "$dir/err"
for bad in KILL SEGV 11 NOPE ''; do
    ok "no signal for it: '$bad'" \
        one_line 2 "no signal" "$tool" --dump-signal="$bad" true
done

ok "a program with a handler is compiled" compile own_handler <<'END'
#include "common.h"

static void
handler(int unused)
{
    (void)unused;
    _exit(8);
}

int
main(void)
{
    struct sigaction a;

    sigaction(SIGQUIT, NULL, &a);
    if (a.sa_handler == SIG_DFL)
        return 1;
    signal(SIGQUIT, handler);
    puts("ready");
    fflush(stdout);
    sleep_ms(60000);
    return 2;
}
END
ok "the program's own handler goes first" \
    signalled 8 QUIT --dump-signal=QUIT "$dir/own_handler"
ok "and nothing is said" silent

ok "a program that forks is compiled" compile forks <<'END'
#include "common.h"

int
main(void)
{
    int status;
    const pid_t child = fork();

    if (child == 0) {
        raise(SIGQUIT);
        sleep_ms(60000);
    }
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 100;
}
END
ok "the signal ends the child of a fork" \
    gives 3 "$tool" --dump-signal=QUIT "$dir/forks"
for name in semaphore_never_posted stuck_futexes stuck_pipe \
    stuck_pipe_and_mutex unstuck_child unstuck_handler; do
    ok "$name is compiled" compile "$name"
done
ok "the handler does not count as one that could post" \
    gives 66 "$tool" --dump-signal=QUIT "$dir/semaphore_never_posted"

# --- nothing runs ---
if test -n "$(cat /proc/self/syscall 2>/dev/null)"; then
    for name in stuck_futexes stuck_pipe_and_mutex; do
        ok "$name: 66" gives 66 "$tool" --stuck=0.2 "$dir/$name"
        ok "$name: what is said" said "stuck: nothing has run for 0.2 s"
    done
    # On a busy machine names may not be there in time.
    says_where() {
        for try in 1 2 3; do
            said "is in poll of descriptor .*, pipe:.*, called in reader" &&
                return
            gives 66 "$tool" --stuck=0.2 "$dir/$name" || return
        done
        cat "$dir/err"
        return 1
    }
    ok "what a thread is in, and where" says_where
else
    skip "programs in which nothing runs" "this kernel does not tell of calls"
fi
ok "it is off unless asked for" \
    gives 124 timeout 1 "$tool" "$dir/stuck_pipe"
ok "a child will write: not stuck" gives 0 "$tool" --stuck=0.2 \
    "$dir/unstuck_child"
ok "a handler will write: not stuck" gives 0 "$tool" --stuck=0.2 \
    "$dir/unstuck_handler"
ok "no time" one_line 2 "no time" "$tool" --stuck=x true

# --- what is not to be told ---
ok "a program is compiled that ends though two of its threads do not" \
    compile ends_all_the_same <<'END'
#include "common.h"

static pthread_mutex_t m[2] = {MUTEX, MUTEX};

static void *
audit(void *arg)
{
    const long i = (long)arg;

    lock(&m[i]);
    meet();
    lock(&m[1 - i]);
    return NULL;
}

int
main(void)
{
    start(audit, (void *)0L);
    start(audit, (void *)1L);
    sleep_ms(1000);
    return 4;
}
END
echo 'file:could_two_mutexes.c' >"$dir/could"
suppressing() { # STATUS LINES: how that program ends
    printf '%b\n' "$2" >"$dir/lines"
    gives "$1" "$tool" --suppress="$dir/lines" "$dir/ends_all_the_same"
}
ok "a function: the program's status" suppressing 4 '# known\n\n function:audit'
ok "the last line counts it" is_only "weft: 1 suppressed"
ok "what names nothing of it: it is told" suppressing 66 \
    'function:aud\nfunction:main\nfile:audit.c\nmodule:ends'
fails "and nothing is counted" said suppressed
ok "could_two_mutexes is compiled" compile could_two_mutexes
ok "what could happen: the program's status" \
    gives 0 "$tool" --suppress="$dir/could" "$dir/could_two_mutexes"
ok "and it is counted" is_only "weft: 1 suppressed"
echo 'function:main' >"$dir/main"
ok "what nobody runs in is not told either" gives 124 timeout 1 \
    "$tool" --suppress="$dir/main" --stuck=0.2 "$dir/stuck_pipe"
printf '#\nfunction:f\nfunctoin:main\n' >"$dir/bad"
ok "a line that is none: which" one_line 2 ":3: is not function" \
    "$tool" --suppress="$dir/bad" true
ok "a file that is not there" one_line 2 "No such file" \
    "$tool" --suppress=/nope true
in_folder() {
    (cd "$dir" && gives 4 "$tool" --suppress=main sh -c 'cd /; exec "$0"' \
        "$dir/ends_all_the_same")
}
echo 'function:audit' >>"$dir/main"
ok "a file by a path that the program leaves" in_folder

# --- memory ---
said_once() { # WORDS: the only line
    test "$(wc -l <"$dir/err")" = 1 && grep -q "$1" "$dir/err"
}
ok "a program of very many locks is compiled" compile very_many_locks <<'END'
#include "common.h"
#include <sys/resource.h>
static pthread_mutex_t first = MUTEX, many[500000];
int
main(void)
{
    struct rusage used;

    for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++) {
        lock(&first);
        lock(&many[i]);
        unlock(&many[i]);
        unlock(&first);
    }
    getrusage(RUSAGE_SELF, &used);
    return used.ru_maxrss < 120 * 1024 ? 4 : 5;
}
END
ok "the orders of 500 000 locks: it goes on" gives 4 "$tool" \
    "$dir/very_many_locks"
ok "what is full is said once" said_once "MiB of orders of locks are full"

# --- reports that are not certain ---
ok "two on two semaphores, and a third that may help them" compile crossed <<'END'
#include "common.h"

#include <sys/stat.h>

static sem_t s[2];

static void *
cross(void *arg)
{
    const long i = (long)arg;

    sem_wait(&s[i]);
    meet();
    sem_wait(&s[1 - i]);
    sem_post(&s[1]);
    return NULL;
}

int
main(int argc, char **argv)
{
    struct stat report = {.st_size = 0};

    sem_init(&s[0], 0, 1);
    sem_init(&s[1], 0, 1);
    const pthread_t a = start(cross, (void *)0L);
    const pthread_t b = start(cross, (void *)1L);
    while (argc < 3 || stat(argv[2], &report) != 0 || report.st_size == 0)
        sleep_ms(10);
    if (strcmp(argv[1], "helps") == 0) {
        sem_post(&s[0]);
        join(a);
        join(b);
    } else {
        sleep_ms(3L * A_WHILE_MS); /* longer than --doubt */
    }
    puts("done");
    return 7;
}
END
for keep in "--keep --doubt=0.1" --doubt=50; do
    rm -f "$dir/report"
    # shellcheck disable=SC2086 # two words
    ok "$keep: when they go on the status is the program's" \
        gives 7 "$tool" $keep -o "$dir/report" "$dir/crossed" helps "$dir/report"
    ok "so is what it writes" test "$(cat "$dir/out")" = done
    ok "it was told" grep -q "^weft: possible deadlock: 2 threads" "$dir/report"
    ok "and taken back" test "$(grep -c "^weft: no deadlock: the threads that" "$dir/report")" = 1
    rm -f "$dir/report"
    # shellcheck disable=SC2086
    ok "$keep: when they still wait at its end it is not" \
        gives 66 "$tool" $keep -o "$dir/report" "$dir/crossed" ends "$dir/report"
    ok "it went on to its end" test "$(cat "$dir/out")" = done
    fails "and nothing was taken back" grep -q "no deadlock" "$dir/report"
done
ok "after some time it is ended" gives 9 "$tool" --doubt=0.3 --exit-status=9 "$dir/crossed"
ok "which is said" said "^weft: they still wait, 0.3 s later: the program is ended"
ok "a doubt of no time" one_line 2 "no time" "$tool" --doubt=0 true

tap_end
