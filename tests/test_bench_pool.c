/* SPDX-License-Identifier: MIT */
/*
 * test_bench_pool.c - what `bench pool` promises: a loop that has left a number
 * out, or done one twice, is no number; and a pool that spins is seen.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <weft/parallel.h>

#include "bench/pools_loops.h"
#include "report/data.h"
#include "scenario.h"
#include "testing.h"

extern const struct scenario bench_pool;

/* The linker sends the harness' calls here; see the program's LDFLAGS. */
enum weft_status __wrap_weft_parallel_for(weft_pool *p, size_t begin,
                                          size_t end, size_t grain,
                                          weft_range_fn *fn, void *ctx);

static size_t left_out;

enum weft_status
__wrap_weft_parallel_for(weft_pool *p, size_t begin, size_t end, size_t grain,
                         weft_range_fn *fn, void *ctx)
{
    (void)p;
    (void)grain;
    fn(begin, end - left_out, ctx);
    return WEFT_OK;
}

static const char *const loops[] = {"small", "for", "skewed", "matrix"};

/* An emulator takes seconds for all but the small one. */
static int
loops_here(int all)
{
    return in_emulator() ? 1 : all;
}

/* The job of plain calls in the table of that name. */
static const struct pool_job *
plain_job(const char *name)
{
    for (const struct pool_table *t = pool_tables; t->name != NULL; t++)
        for (const struct pool_job *j = t->jobs; j->name != NULL; j++)
            if (strcmp(t->name, name) == 0 && j->alone)
                return j;
    ck_abort();
}

static void
repeat_a_part(const char *name)
{
    if (strcmp(name, "matrix") == 0)
        pool_add_block(POOL_BLOCK, 0);
    else if (strcmp(name, "skewed") == 0)
        pool_step(POOL_SKEWED - 1);
    else
        pool_add(POOL_SMALL - 1);
}

START_TEST(test_each_number_is_to_be_done_once_in_each_run)
{
    const struct pool_job *j = plain_job(loops[_i]);
    struct pool_place at = {.workers = 1};

    for (int i = 0; i < 2; i++) {
        j->before(&at);
        ck_assert(j->is_right(&at));
        ck_assert_uint_gt(j->run(&at), 0);
        ck_assert_uint_gt(j->run(&at), 0);
        ck_assert(j->is_right(&at));
        if (i == 0)
            at.runs++; /* one that has done nothing */
        else
            repeat_a_part(loops[_i]);
        ck_assert(!j->is_right(&at));
    }
}
END_TEST

/* With one CPU no trips between two are measured, which take long where others
 * have the CPUs. */
static void
stay_on_one_cpu(void)
{
    cpu_set_t mine;
    cpu_set_t one;
    size_t cpu = 0;

    ck_assert_int_eq(sched_getaffinity(0, sizeof(mine), &mine), 0);
    while (!CPU_ISSET(cpu, &mine))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
}

/* The verdict on the rows of Weft. */
static enum outcome
outcome_of(const char *table)
{
    static const struct extra extras[] = {{.name = "table"}, {.name = "only"}};
    struct options o = {.duration_s = 0.01, .rounds = 1, .seed = 1};
    struct report *r = report_create(tmpfile());

    o.extras[0].extra = &extras[0];
    o.extras[0].value = table;
    o.extras[1].extra = &extras[1];
    o.extras[1].value = "weft";
    o.extra_count = 2;
    report_scenario(r, "pool");
    ck_assert_int_eq(bench_pool.run(&o, r), OUTCOME_OK);
    ck_assert_uint_eq(r->table_count, 1);
    ck_assert_uint_eq(r->tables[0]->row_count, 2);
    const enum outcome outcome = report_outcome(r);
    report_destroy(r);
    return outcome;
}

START_TEST(test_row_of_a_loop_that_leaves_a_number_out_is_failed)
{
    static const char *const tables[] = {"small-1", "for-1", "skewed-1"};

    stay_on_one_cpu();
    left_out = _i % 2 == 1;
    ck_assert_int_eq(outcome_of(tables[_i / 2]),
                     left_out == 0 ? OUTCOME_OK : OUTCOME_FAILED);
}
END_TEST

static _Atomic bool spins = true;

static void *
spin(void *arg)
{
    while (spins)
        ;
    return arg;
}

/* The goal is 1000 us in 3 s, and any share of a CPU is more than that. */
START_TEST(test_a_pool_that_spins_is_seen_at_rest)
{
    struct pool_place at = {.seconds = 0.1};
    pthread_t thread;
    int tries = 200; /* of a machine on which others leave it none */

    ck_assert_int_eq(pthread_create(&thread, NULL, spin, NULL), 0);
    while (pool_idle(&at) <= 1000)
        ck_assert_int_gt(tries--, 0);
    spins = false;
    pthread_join(thread, NULL);
}
END_TEST

int
main(void)
{
    const struct test tests[] = {
        {&test_each_number_is_to_be_done_once_in_each_run, loops_here(4)},
        {&test_row_of_a_loop_that_leaves_a_number_out_is_failed,
         2 * loops_here(3)},
        {&test_a_pool_that_spins_is_seen_at_rest, 1},
    };

    return run_tests("bench pool", tests, sizeof(tests) / sizeof(tests[0]), 60);
}
