#!/bin/sh
# SPDX-License-Identifier: MIT
# test_deadlock_odd.sh - weft-deadlock where a program has little left: no
# standard error, no descriptors, another root without /proc, small stacks.
: "${srcdir:=$(dirname "$0")/..}"
. "$srcdir/tests/tap.sh"
: "${CC:=cc}"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
tool=$PWD/weft-deadlock

cat >"$dir/odd.c" <<'END'
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>

#include "common.h"

static pthread_mutex_t a = MUTEX;
static pthread_mutex_t b = MUTEX;
static int meets;

static void *
forward(void *unused)
{
    lock(&a);
    if (meets)
        meet();
    lock(&b);
    unlock(&b);
    unlock(&a);
    return unused;
}

static void *
backward(void *exits)
{
    lock(&b);
    if (meets)
        meet();
    lock(&a);
    unlock(&a);
    unlock(&b);
    if (exits != NULL)
        exit(5);
    return exits;
}

static void
new_root(const char *path)
{
    if (chroot(path) != 0 && (unshare(CLONE_NEWUSER) != 0 || chroot(path) != 0))
        _exit(77);
    must(chdir("/"));
}

static void
second_error(int fd)
{
    close(STDERR_FILENO);
    if (dup(fd) != STDERR_FILENO)
        _exit(1);
}

static void
change(const char *what, const char *path)
{
    sigset_t all;
    int pair[2];

    if (strcmp(what, "hangs") == 0)
        meets = 1;
    if (strcmp(what, "root") == 0)
        new_root(path);
    if (strcmp(what, "closed") == 0)
        for (int i = 0; i < 3; i++)
            close(i);
    if (strcmp(what, "file") == 0)
        second_error(open(path, O_RDWR | O_CREAT, 0644));
    if (strcmp(what, "log") == 0)
        second_error(open(path, O_WRONLY | O_CREAT, 0644));
    if (strcmp(what, "socket") == 0) {
        must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
        second_error(pair[0]);
        fcntl(pair[1], F_SETFL, O_NONBLOCK);
        dup2(pair[1], 100);
    }
    if (strcmp(what, "full") == 0)
        while (open("/dev/null", O_RDONLY) >= 0)
            continue;
    if (strcmp(what, "blocked") == 0) {
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, NULL);
    }
    if (strcmp(what, "clear") == 0)
        clearenv();
}

/* Children that do nothing wrong have a status of their own. */
static int
fork_one(void)
{
    const pid_t child = fork();
    int status;

    if (child == 0) {
        lock(&a);
        unlock(&a);
        _exit(9);
    }
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

int
main(int argc, char **argv)
{
    pthread_attr_t small;
    pthread_t t[2];
    char c;

    for (int i = 1; i < argc; i++)
        change(argv[i], argv[argc - 1]);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, PTHREAD_STACK_MIN);
    must(pthread_create(&t[0], &small, forward, NULL));
    if (!meets)
        apart();
    must(pthread_create(&t[1], &small, backward,
                        strcmp(argv[1], "exits") == 0 ? argv : NULL));
    for (int i = 0; i < 2; i++)
        join(t[i]);
    if (strcmp(argv[1], "forks") == 0) {
        sleep_ms(A_WHILE_MS); /* until it is told */
        printf("child %d\n", fork_one());
    }
    if (strcmp(argv[1], "socket") == 0) {
        sleep_ms(A_WHILE_MS);
        printf("got %zd\n", read(100, &c, 1));
    }
    return 5;
}
END
$CC -std=gnu11 -D_GNU_SOURCE -g -O1 -pthread -I"$srcdir/tests/deadlock" \
    -o "$dir/odd" "$dir/odd.c" || exit 1
mkdir "$dir/root"

# Two libraries, one after the other in one place, with locks in two orders.
cat >"$dir/pair.c" <<'END'
#include <pthread.h>

static pthread_mutex_t of[2] = {PTHREAD_MUTEX_INITIALIZER,
                                PTHREAD_MUTEX_INITIALIZER};

void
pair(void)
{
    pthread_mutex_lock(&of[FIRST]);
    pthread_mutex_lock(&of[!FIRST]);
    pthread_mutex_unlock(&of[!FIRST]);
    pthread_mutex_unlock(&of[FIRST]);
}
END
cat >"$dir/closes.c" <<'END'
#include <dlfcn.h>
#include <stdatomic.h>

#include "common.h"

static _Atomic int turn;

static void
call(const char *path)
{
    void *library = dlopen(path, RTLD_NOW);
    void (*pair)(void);

    *(void **)&pair = library != NULL ? dlsym(library, "pair") : NULL;
    if (pair == NULL)
        _exit(1);
    pair();
    must(dlclose(library));
}

static void *
second(void *path)
{
    call(path); /* what malloc and the loader need is there from now on */
    atomic_store(&turn, 1);
    while (atomic_load(&turn) != 2)
        sleep_ms(1);
    call(path);
    return NULL;
}

int
main(int argc, char **argv)
{
    const pthread_t t = start(second, argv[argc - 1]);

    while (atomic_load(&turn) != 1)
        sleep_ms(1);
    call(argv[1]);
    atomic_store(&turn, 2);
    join(t);
    return 5;
}
END
for i in 0 1; do
    $CC -g -shared -fPIC -DFIRST=$i -o "$dir/pair$i.so" "$dir/pair.c" || exit 1
done
$CC -std=gnu11 -D_GNU_SOURCE -g -O1 -pthread -I"$srcdir/tests/deadlock" \
    -o "$dir/closes" "$dir/closes.c" -ldl || exit 1
is_silent() { # STATUS COMMAND...
    wanted=$1
    shift
    status=0
    timeout 60 "$tool" "$@" >"$dir/out" 2>"$dir/err" || status=$?
    cat "$dir/err"
    test "$status" = "$wanted" && test ! -s "$dir/err"
}

# The program gives 66, and so many lines of its report are on standard error.
reports() { # HEADLINE ARGUMENT...
    headline=$1
    shift
    status=0
    rm -f "$dir/report"
    # shellcheck disable=SC2086 # none, or one
    timeout 60 "$tool" ${option-} "$dir/odd" "$@" >"$dir/out" 2>"$dir/err" ||
        status=$?
    cat "$dir/out" "$dir/err"
    echo "status $status"
    test "$status" = 66 || return 1
    test -n "$headline" || return 0
    cat "$dir/err" "$dir/report" 2>/dev/null | grep -q "^weft: $headline"
}
has() { # WORDS
    grep -q "$1" "$dir/out"
}
empty() { # FILE
    test ! -s "$dir/$1"
}
may_change_root() {
    status=0
    "$dir/odd" root "$dir/root" >/dev/null 2>&1 || status=$?
    test "$status" = 5
}

ok "small stacks" reports "deadlock that could happen" as
ok "small stacks, and one of them ends the program" \
    reports "deadlock that could happen" exits
ok "small stacks, in a deadlock" reports "deadlock:" hangs
ok "signals are blocked" reports "deadlock:" hangs blocked
ok "the environment is empty" reports "deadlock:" hangs clear
ok "no descriptors are left" reports "deadlock:" hangs full
option=--output=$dir/report
ok "and the file of reports cannot be opened" reports "deadlock:" hangs full
ok "nor for what could happen" reports "deadlock that could happen" full
ok "standard error is closed, and there is a file of reports" \
    reports "deadlock:" hangs closed
option=
if may_change_root; then
    ok "another root, without /proc" reports "deadlock:" hangs root "$dir/root"
    option=--output=$dir/report
    ok "where the file of reports is not" \
        reports "deadlock:" hangs root "$dir/root"
    option=
else
    skip "another root" "it is not allowed"
fi
ok "standard error is closed" reports "" hangs closed
ok "it has become a file that is read, too" reports "" hangs file "$dir/data"
ok "in which nothing is written" empty data
ok "it has become a connection" reports "" socket
ok "on which nothing is sent" has "got -1"
ok "it has become a file that is only written" reports "" hangs log "$dir/log"
ok "where the report is" grep -q "^weft: deadlock:" "$dir/log"
option=--children
ok "a child of one that was told of" reports "deadlock that could happen" forks
ok "has a status of its own" has "child 9"
option=
ok "a library lies where another was" \
    is_silent 5 "$dir/closes" "$dir/pair0.so" "$dir/pair1.so"
tap_end
