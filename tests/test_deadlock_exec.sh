#!/bin/sh
# SPDX-License-Identifier: MIT
# test_deadlock_exec.sh - what weft-deadlock knows of a program that executes
# another one in its place, or ends by quick_exit.
: "${srcdir:=$(dirname "$0")/..}"
. "$srcdir/tests/tap.sh"
: "${CC:=cc}"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
tool=$PWD/weft-deadlock

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
told() { # TIMES
    test "$(grep -c 'could happen' "$dir/err")" = "$1"
}
silent() {
    test ! -s "$dir/err"
}
wrote() { # LINE...
    test "$(cat "$dir/out")" = "$*"
}

# usage: executes WAY [WORD...]: locks in both orders, then executes itself that
# way, as "end" with those words and X=Y for an environment where there may be
# another; "no-locks WAY" without locks.  It writes its words, and X.
compile() {
    $CC -std=gnu11 -D_GNU_SOURCE -g -O1 -pthread -I"$srcdir/tests/deadlock" \
        -o "$dir/executes" -x c - <<'END'
#include <fcntl.h>

#include "common.h"

static pthread_mutex_t first = MUTEX;
static pthread_mutex_t second = MUTEX;
static _Atomic int done; /* orders nothing that a tool could see */

static void *
forward(void *unused)
{
    lock(&first);
    lock(&second);
    unlock(&second);
    unlock(&first);
    done = 1;
    return unused;
}

static void
backward(void)
{
    lock(&second);
    lock(&first);
    unlock(&first);
    unlock(&second);
}

static void
write_words(char **word)
{
    const char *x = getenv("X");

    for (; *word != NULL; word++)
        printf("%s ", *word);
    printf("%s\n", x != NULL ? x : "-");
}

static void
execute(const char *way, char **argv)
{
    const char *self = "/proc/self/exe";
    char **env = calloc(1000, sizeof(*env));
    size_t n = 0;

    for (; environ[n] != NULL; n++)
        env[n] = environ[n];
    env[n] = (char *)"X=Y";
    if (strcmp(way, "execve") == 0)
        execve(self, argv, env);
    else if (strcmp(way, "execv") == 0)
        execv(self, argv);
    else if (strcmp(way, "execvp") == 0)
        execvp(self, argv);
    else if (strcmp(way, "execvpe") == 0)
        execvpe(self, argv, env);
    else if (strcmp(way, "execl") == 0)
        execl(self, argv[0], argv[1], "b", (char *)NULL);
    else if (strcmp(way, "execlp") == 0)
        execlp(self, argv[0], argv[1], "b", (char *)NULL);
    else if (strcmp(way, "execle") == 0)
        execle(self, argv[0], argv[1], "b", (char *)NULL, env);
    else if (strcmp(way, "fexecve") == 0)
        fexecve(open(self, O_RDONLY), argv, env);
    else if (strcmp(way, "fails") == 0)
        execv("/nowhere", argv);
    else if (strcmp(way, "forks") == 0 && fork() == 0)
        execv(self, argv);
    else if (strcmp(way, "vforks") == 0 && vfork() == 0)
        execv(self, argv);
    else if (strcmp(way, "bare") == 0)
        execve(self, argv, NULL);
    else if (strcmp(way, "alone") == 0)
        execl(self, "end", (char *)NULL);
    const int status = errno == ENOENT ? 5 : 0;
    while (wait(NULL) > 0)
        continue;
    exit(status);
}

int
main(int argc, char **argv)
{
    (void)argc;
    if (strcmp(argv[0], "end") == 0) {
        write_words(argv + 1);
        return 7;
    }
    if (strcmp(argv[1], "no-locks") == 0) {
        argv++;
    } else {
        start(forward, NULL);
        while (!done)
            sleep_ms(1);
        backward();
    }
    const char *way = argv[1];
    argv[1] = (char *)"end";
    execute(way, argv + 1);
}
END
}
ok "a program that executes another is compiled" compile
run="$tool $dir/executes"
# shellcheck disable=SC2086 # several words
for way in execve execv execvp execvpe execl execlp execle fexecve; do
    x=-
    case $way in execve | execvpe | execle | fexecve) x=Y ;; esac
    ok "$way: found before it" gives 66 $run $way a b
    ok "$way: and told" told 1
    ok "$way: with its words" wrote a b $x
    ok "$way: nothing is found" gives 7 $run no-locks $way a b
    ok "$way: and nothing told" silent
    ok "$way: with its words" wrote a b $x
done
# shellcheck disable=SC2086
{
    ok "the status asked for" \
        gives 9 "$tool" --exit-status=9 "$dir/executes" execv
    ok "no words" gives 66 $run alone
    ok "and none are added" wrote -
    ok "one that fails goes on" gives 66 $run fails
    ok "and has told" told 1
    ok "as without the tool" gives 5 $run no-locks fails
    ok "a child by fork tells nothing" gives 66 $run forks a
    ok "but its parent" told 1
    ok "and has its words" wrote a -
    ok "nor by vfork" gives 66 $run vforks a
    ok "but its parent" told 1
    ok "and has its words" wrote a -
    ok "without an environment it is not watched" gives 7 $run bare
    ok "but has told" told 1
    ok "found by a process before this one" \
        gives 7 env WEFT_DEADLOCK_FOUND=1 $run no-locks execv
}
tap_end
