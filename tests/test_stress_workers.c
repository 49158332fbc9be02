/* SPDX-License-Identifier: MIT */
#include "testing.h"

#include <sched.h>
#include <stdlib.h>

#include <weft/base.h>

#include "race/race.h"
#include "workers.h"

#define THREADS 5

static FILE *nowhere;
static struct report *r;

static void
set_up(void)
{
    nowhere = fopen("/dev/null", "w");
    r = report_create(nowhere);
}

static void
tear_down(void)
{
    report_destroy(r);
    fclose(nowhere);
}

struct drawn {
    uint64_t numbers[THREADS];
    cpu_set_t cpus[THREADS];
    atomic_uint inside;
    bool alone[THREADS];
};

static void
draw(struct worker *w)
{
    struct drawn *d = w->shared;

    d->numbers[w->index] = prng_next(&w->random);
    sched_getaffinity(0, sizeof(d->cpus[0]), &d->cpus[w->index]);
}

START_TEST(test_seed_repeats_the_numbers_of_each_worker)
{
    struct drawn first;
    struct drawn second;
    struct crew crew = {
        .threads = THREADS, .seed = 0x5eed, .body = draw, .shared = &first};

    set_up();
    ck_assert(crew_run(&crew, r));
    crew.shared = &second;
    ck_assert(crew_run(&crew, r));
    for (size_t i = 0; i < THREADS; i++) {
        ck_assert_uint_eq(first.numbers[i], second.numbers[i]);
        for (size_t k = 0; k < i; k++)
            ck_assert_uint_ne(first.numbers[i], first.numbers[k]);
    }
    crew.seed++;
    ck_assert(crew_run(&crew, r));
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_uint_ne(first.numbers[i], second.numbers[i]);
    tear_down();
}
END_TEST

START_TEST(test_pinned_worker_has_one_cpu_and_they_go_round)
{
    struct drawn d;
    struct crew crew = {
        .threads = THREADS, .pin = true, .seed = 1, .body = draw, .shared = &d};
    cpu_set_t mine;

    set_up();
    ck_assert(crew_run(&crew, r));
    sched_getaffinity(0, sizeof(mine), &mine);
    const int cpus = CPU_COUNT(&mine);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(CPU_COUNT(&d.cpus[i]), 1);
        for (int k = 0; k < i; k++)
            ck_assert_int_eq(CPU_EQUAL(&d.cpus[i], &d.cpus[k]) != 0,
                             (i - k) % cpus == 0);
    }
    tear_down();
}
END_TEST

/* All are inside at once, or this never returns and Check ends it. */
static void
meet(struct worker *w)
{
    struct drawn *d = w->shared;

    atomic_fetch_add_explicit(&d->inside, 1, memory_order_relaxed);
    while (atomic_load_explicit(&d->inside, memory_order_relaxed) < w->count)
        sched_yield();
}

START_TEST(test_workers_run_at_the_same_time)
{
    struct drawn d = {.numbers = {0}};
    struct crew crew = {
        .threads = THREADS, .seed = 1, .body = meet, .shared = &d};

    set_up();
    ck_assert(crew_run(&crew, r));
    ck_assert_uint_eq(d.inside, THREADS);
    tear_down();
}
END_TEST

static void
until_stopped(struct worker *w)
{
    while (!worker_is_stopped(w))
        sched_yield();
}

START_TEST(test_time_ends_a_run_and_not_before)
{
    struct crew crew = {
        .threads = THREADS, .seconds = 0.05, .seed = 1, .body = until_stopped};

    set_up();
    ck_assert(crew_run(&crew, r));
    ck_assert_double_ge(crew.elapsed_s, 0.05);
    tear_down();
}
END_TEST

/* As `mutex` and the like, but one update in ten is not made. */
static void
lose_some(struct worker *w)
{
    struct race_job *job = w->shared;

    for (int i = 0; i < 9; i++)
        weft_counter_add(job->counter, 1);
    job->tallies[w->index].done = 10;
}

static const struct race_variant losing = {"mutex", false, lose_some, true,
                                           WEFT_COUNTER_ATOMIC};
static const struct race_variant lossy = {"broken", true, lose_some, true,
                                          WEFT_COUNTER_ATOMIC};

START_TEST(test_mended_variant_that_loses_has_failed)
{
    const struct options o = {.seed = 1};

    set_up();
    ck_assert_int_eq(race_run(&losing, 1, &o, r), OUTCOME_OK);
    ck_assert_int_eq(report_outcome(r), OUTCOME_FAILED);
    tear_down();
}
END_TEST

START_TEST(test_broken_variant_may_lose_and_it_is_counted)
{
    const struct options o = {.seed = 1, .threads = {3}, .thread_counts = 1};
    const struct race_load load = {.threads = 3, .seconds = 1};
    struct race_result result;

    set_up();
    ck_assert_int_eq(race_run(&lossy, 1, &o, r), OUTCOME_OK);
    ck_assert_int_eq(report_outcome(r), OUTCOME_OK);
    ck_assert(race_measure(&lossy, &load, &o, r, &result));
    ck_assert_int_eq(result.done, 30);
    ck_assert_int_eq(result.found, 27);
    tear_down();
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_seed_repeats_the_numbers_of_each_worker, 1},
        {&test_pinned_worker_has_one_cpu_and_they_go_round, 1},
        {&test_workers_run_at_the_same_time, 1},
        {&test_time_ends_a_run_and_not_before, 1},
        {&test_mended_variant_that_loses_has_failed, 1},
        {&test_broken_variant_may_lose_and_it_is_counted, 1},
    };

    return run_tests("stress workers", tests, sizeof(tests) / sizeof(tests[0]),
                     20);
}
