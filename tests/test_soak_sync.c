/* SPDX-License-Identifier: MIT */
/*
 * The checks of `soak sync`: each primitive of the library passes, and each of
 * the broken ones below is found, by the check that is there for it.
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

START_TEST(test_what_is_right_passes)
{
    const struct soak_subject *s = soak_subjects[_i];
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
END_TEST

/*
 * End this test's process, passed.  Threads and memory that a broken primitive
 * has cost are left behind, and whatever races it let happen: a sanitizer is
 * not to hear of them.
 */
static void
leave(void)
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

/* Every run finds something; by chance it may be what else is wrong with it
 * than what it is there for. */
START_TEST(test_what_is_broken_is_found)
{
    const struct broken *b = &broken[_i];
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
    leave();
}
END_TEST

/* A thread that waits for what never comes. */
static void
wait_for_ever(struct soak_hand *h)
{
    soak_turn(h);
    soak_at(h, "the crossing");
    while (h->index == 1)
        usleep(1000);
    while (soak_goes_on(h)) {
        soak_turn(h);
        usleep(1000);
    }
}

START_TEST(test_who_does_not_get_on_is_named)
{
    const struct soak_subject s = {
        .name = "stuck", .least_threads = 3, .bytes = 1, .body = wait_for_ever};
    const struct soak_plan plan = {
        .threads = 1, .seconds = WRONG_S, .patience_s = PATIENCE_S, .seed = 1};
    struct soak_result got;

    ck_assert(soak_run(&s, &plan, &got));
    ck_assert_uint_eq(got.threads, 3);
    ck_assert_ptr_nonnull(strstr(got.fault, "thread 1 has made no turn"));
    ck_assert_ptr_nonnull(strstr(got.fault, "the crossing"));
    ck_assert_ptr_nonnull(got.where);
    ck_assert_ptr_nonnull(strstr(got.where, "thread 0: at "));
    ck_assert_ptr_nonnull(
        strstr(got.where, "thread 1: at the crossing, 1 turns"));
    free(got.where);
    leave();
}
END_TEST

static void
fail_twice(struct soak_hand *h)
{
    soak_fault(h->run, "first %d", 1);
    soak_fault(h->run, "second");
}

START_TEST(test_the_first_fault_is_kept)
{
    const struct soak_subject s = {
        .name = "faulty", .least_threads = 1, .bytes = 1, .body = fail_twice};
    const struct soak_plan plan = {
        .threads = 1, .seconds = WRONG_S, .patience_s = 1};
    struct soak_result got;

    ck_assert(soak_run(&s, &plan, &got));
    ck_assert_str_eq(got.fault, "first 1");
}
END_TEST

int
main(void)
{
    const struct test tests[] = {
        {&test_what_is_right_passes, (int)soak_subject_count},
        {&test_what_is_broken_is_found, (int)broken_count},
        {&test_who_does_not_get_on_is_named, 1},
        {&test_the_first_fault_is_kept, 1},
    };

    return run_tests("soak_sync", tests, sizeof(tests) / sizeof(tests[0]), 60);
}
