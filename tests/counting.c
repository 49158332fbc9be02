/* SPDX-License-Identifier: MIT */
/*
 * counting.c - makes counters as they are here and where less is to be had.
 */
#include "counting.h"

#include <check.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/percpu_port.h"

weft_counter *
make_counter(int variant)
{
    weft_counter *c;

    if (variant < VARIANT_STRIPED) {
        ck_assert_int_eq(
            weft_counter_create(&c, (enum weft_counter_kind)variant), WEFT_OK);
        return c;
    }
    ck_assert_int_eq(weft_counter_create(&c, WEFT_COUNTER_PERCPU), WEFT_OK);
    c->by_cpu = variant == VARIANT_SHORT && owned_works() ? 1 : 0;
    return c;
}

static cpu_set_t allowed;

int
learn_cpus(void)
{
    ck_assert_int_eq(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
    return CPU_COUNT(&allowed);
}

void
move_on(void)
{
    cpu_set_t one;
    size_t cpu = (size_t)sched_getcpu();

    do
        cpu = (cpu + 1) % CPU_SETSIZE;
    while (!CPU_ISSET(cpu, &allowed));
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof(one), &one);
}

#define TUNABLES     "GLIBC_TUNABLES"
#define UNREGISTERED "glibc.pthread.rseq=0"

static bool
is_unregistered_run(void)
{
    const char *tunables = getenv(TUNABLES);
    return tunables != NULL && strstr(tunables, UNREGISTERED) != NULL;
}

void
must_hold_without_registration(const char *name)
{
    if (is_unregistered_run())
        ck_assert(!owned_works());
    if (!owned_works())
        return;

    char copy[64];
    snprintf(copy, sizeof(copy), "%s", name);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        char *const argv[] = {copy, NULL};
        setenv(TUNABLES, UNREGISTERED, 1);
        setenv("CK_VERBOSITY", "silent", 1);
        unsetenv("CK_TAP_LOG_FILE_NAME");
        unsetenv("CK_XML_LOG_FILE_NAME");
        unsetenv("CK_LOG_FILE_NAME");
        execv("/proc/self/exe", argv);
        _exit(127);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
}
