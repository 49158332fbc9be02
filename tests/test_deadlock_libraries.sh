#!/bin/sh
# SPDX-License-Identifier: MIT
# test_deadlock_libraries.sh - weft-deadlock and libraries that take locks when
# they are loaded and when they are left.
: "${srcdir:=$(dirname "$0")/..}"
. "$srcdir/tests/tap.sh"
: "${CC:=cc}"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
tool=$PWD/weft-deadlock

# Compile what stands on standard input: a library, or a program.
compile() { # NAME OPTION...
    out=$dir/$1
    shift
    $CC -std=gnu11 -D_GNU_SOURCE -g -O1 -pthread -I"$srcdir/tests/deadlock" \
        -x c - -o "$out" "$@"
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
silent() {
    test ! -s "$dir/err"
}

ok "a library is compiled" compile libboth.so -shared -fPIC <<'END'
#include "common.h"

pthread_mutex_t both_first = MUTEX, both_second = MUTEX;

static void
take(void)
{
    lock(&both_first);
    lock(&both_second);
    unlock(&both_second);
    unlock(&both_first);
}

static void *
routine(void *unused)
{
    take();
    return unused;
}

/* A thread is started before main does anything, too. */
__attribute__((constructor)) static void
load(void)
{
    take();
    if (getenv("DETACHED") != NULL)
        must(pthread_detach(start(routine, NULL)));
    else
        join(start(routine, NULL));
}

__attribute__((destructor)) static void
leave(void)
{
    take();
}
END
ok "and a program that is linked with it" \
    compile linked -x none "$dir/libboth.so" -Wl,-rpath,"$dir" <<'END'
#include "common.h"

extern pthread_mutex_t both_first, both_second;

static void *
backward(void *unused)
{
    lock(&both_second);
    lock(&both_first);
    unlock(&both_first);
    unlock(&both_second);
    return unused;
}

int
main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        apart();
        join(start(backward, NULL));
    }
    return 7;
}
END
ok "its own order alone is none" gives 7 "$tool" "$dir/linked"
ok "nothing is said" silent
ok "what its constructor did is behind nobody" \
    gives 7 "$tool" "$dir/linked" turned
ok "and nothing is said of it" silent
ok "a thread that it has started could meet others" \
    gives 66 env DETACHED=1 "$tool" "$dir/linked" turned
ok "which is told" said "deadlock that could happen: 2 threads"
ok "with what is the library's" said "mutex 0x[0-9a-f]* in take"

ok "a program that loads it" compile loads -ldl <<'END'
#include "common.h"
#include <dlfcn.h>

static pthread_mutex_t *first, *second;

static void *
forward(void *unused)
{
    lock(first);
    lock(second);
    unlock(second);
    unlock(first);
    return unused;
}

/* Loaded, used by threads, left; and again, where it may lie elsewhere. */
int
main(int argc, char **argv)
{
    for (int i = 0; i < 3 && argc > 1; i++) {
        void *library = dlopen(argv[1], RTLD_NOW);
        if (library == NULL)
            return 1;
        first = dlsym(library, "both_first");
        second = dlsym(library, "both_second");
        if (i == 1) { /* the names change places, as code might */
            pthread_mutex_t *was = first;
            first = second;
            second = was;
            forward(NULL); /* behind the constructor, before the threads */
        } else {
            run_both(forward, forward);
        }
        if (dlclose(library) != 0)
            return 2;
    }
    return 7;
}
END
ok "it is loaded and left three times" gives 7 "$tool" "$dir/loads" "$dir/libboth.so"
ok "with nothing to say" silent

tap_end
