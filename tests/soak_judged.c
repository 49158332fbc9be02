/* SPDX-License-Identifier: MIT */
/*
 * soak_judged.c - what is right passes, what is broken is found.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "soak_broken.h"
#include "testing.h"

#define THREADS    4
#define RIGHT_S    0.3
#define WRONG_S    20 /* at most: it ends when it is found */
#define PATIENCE_S 2
#define TRIES      10

void
soak_must_pass(const struct soak_subject *s)
{
    const struct soak_plan plan = {.threads = THREADS,
                                   .seconds = RIGHT_S,
                                   .patience_s = 10,
                                   .seed = 0x5eed};
    struct soak_result got;

    ck_assert(soak_run(s, &plan, &got));
    ck_assert_msg(got.fault[0] == '\0', "%s: %s", s->name, got.fault);
    ck_assert_uint_gt(got.turns, 0);
    ck_assert_uint_gt(got.tally[0], 0);
    ck_assert_ptr_null(got.where);
}

void
soak_leave(void)
{
    const char *fork = getenv("CK_FORK");

    if (fork == NULL || strcmp(fork, "no") != 0)
        syscall(SYS_exit_group, EXIT_SUCCESS);
}

/* Whether one of the parts, with bars between them, is in the text. */
static bool
has_one_of(const char *text, const char *parts)
{
    char copy[SOAK_FAULT_BYTES];
    char *rest = NULL;

    snprintf(copy, sizeof(copy), "%s", parts);
    for (char *part = strtok_r(copy, "|", &rest); part != NULL;
         part = strtok_r(NULL, "|", &rest))
        if (strstr(text, part) != NULL)
            return true;
    return false;
}

void
soak_must_find(const struct broken *b)
{
    struct soak_subject s = *b->like;
    struct soak_plan plan = {.threads = THREADS,
                             .seconds = b->seconds > 0 ? b->seconds : WRONG_S,
                             .patience_s = PATIENCE_S};
    struct soak_result got = {.where = NULL};
    bool found = false;

    s.ops = b->ops;
    s.broken = true;
    while (!found && plan.seed++ < TRIES) {
        ck_assert(soak_run(&s, &plan, &got));
        ck_assert_msg(got.fault[0] != '\0', "%s that %s", s.name, b->what);
        free(got.where);
        found = has_one_of(got.fault, b->found);
    }
    ck_assert_msg(found, "%s that %s: found '%s', not '%s'", s.name, b->what,
                  got.fault, b->found);
    soak_leave();
}
