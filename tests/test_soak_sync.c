/* SPDX-License-Identifier: MIT */
/*
 * The checks of `soak sync`: each primitive of the library passes, and each of
 * the broken ones below is found, by the check that is there for it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "soak_broken.h"
#include "testing.h"

#define WRONG_S    20 /* at most: it ends when it is found */
#define PATIENCE_S 2

START_TEST(test_what_is_right_passes)
{
    soak_must_pass(soak_subjects[_i]);
}
END_TEST

START_TEST(test_what_is_broken_is_found)
{
    soak_must_find(&broken[_i]);
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
    soak_leave();
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
        {&test_who_does_not_get_on_is_named, 1},
        {&test_the_first_fault_is_kept, 1},
        {&test_what_is_broken_is_found, (int)broken_count},
    };
    size_t count = sizeof(tests) / sizeof(tests[0]);

    if (in_emulator()) {
        puts("left out: test_what_is_broken_is_found; in an emulator threads "
             "meet too seldom for that");
        count--;
    }
    return run_tests("soak_sync", tests, count, 60);
}
