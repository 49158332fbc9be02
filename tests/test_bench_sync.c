/* SPDX-License-Identifier: MIT */
/*
 * The frame of the benches of locks and wake-ups: each job measures something
 * with a primitive that is right, and gives a FAILED row for one that is not.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "bench/sync_loops.h"
#include "report/data.h"
#include "scenario.h"
#include "testing.h"

#define TRIES 50 /* to find what is wrong */

/* What it does wrong; the last is right. */
enum wrong { NO_WAIT, SOMETIMES, RIGHT };

struct toy {
    enum wrong wrong;
    _Atomic unsigned calls;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool open[2];
    unsigned arrived;
    unsigned round;
    unsigned parties;
};

static bool
init(void *object, const struct sync_load *load, int kind)
{
    struct toy *t = object;

    t->wrong = (enum wrong)kind;
    t->parties = load->threads;
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->moved, NULL);
    return true;
}

static void
destroy(void *object)
{
    struct toy *t = object;

    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->moved);
}

/* Whether this call leaves out what it should do. */
static bool
fails_now(struct toy *t)
{
    const unsigned call =
        atomic_fetch_add_explicit(&t->calls, 1, memory_order_relaxed);

    return t->wrong == NO_WAIT || (t->wrong == SOMETIMES && call % 7 == 3);
}

static void
enter(struct sync_hand *h, void *object)
{
    struct toy *t = object;

    h->own[0] = !fails_now(t);
    if (h->own[0])
        pthread_mutex_lock(&t->lock);
    sched_yield();
}

static void
leave(struct sync_hand *h, void *object)
{
    struct toy *t = object;

    if (h->own[0])
        pthread_mutex_unlock(&t->lock);
}

/* Inside, with a pause between reading and writing, so that two collide. */
static void
enter_slowly(struct sync_hand *h, void *object)
{
    enter(h, object);
    if (((struct toy *)object)->wrong == RIGHT)
        return;
    const uint64_t was =
        atomic_load_explicit(&h->run->plain, memory_order_relaxed);
    sync_nap(1000);
    atomic_store_explicit(&h->run->plain, was, memory_order_relaxed);
}

static void
call(struct sync_hand *h, void *object)
{
    (void)h;
    (void)object;
}

static void
signal_side(struct sync_hand *h, void *object, unsigned side)
{
    struct toy *t = object;

    (void)h;
    pthread_mutex_lock(&t->lock);
    t->open[side] = true;
    pthread_cond_broadcast(&t->moved);
    pthread_mutex_unlock(&t->lock);
}

static void
await_side(struct sync_hand *h, void *object, unsigned side)
{
    struct toy *t = object;

    (void)h;
    if (fails_now(t))
        return;
    pthread_mutex_lock(&t->lock);
    while (!t->open[side])
        pthread_cond_wait(&t->moved, &t->lock);
    t->open[side] = false;
    pthread_mutex_unlock(&t->lock);
}

static void
meet(struct sync_hand *h, void *object)
{
    struct toy *t = object;

    (void)h;
    if (fails_now(t))
        return;
    pthread_mutex_lock(&t->lock);
    const unsigned round = t->round;
    t->arrived++;
    if (t->arrived == t->parties) {
        t->arrived = 0;
        t->round++;
        pthread_cond_broadcast(&t->moved);
    }
    while (t->round == round)
        pthread_cond_wait(&t->moved, &t->lock);
    pthread_mutex_unlock(&t->lock);
}

SYNC_WORK(as_lock, .enter = enter, .leave = leave)
SYNC_WORK(as_slow_lock, .enter = enter_slowly, .leave = leave)
SYNC_WORK(as_rest, .call = call, .signal = signal_side, .await = await_side,
          .meet = meet)
SYNC_WORK(as_nothing, .call = NULL)

static void
says_no(void *object, const struct sync_load *load,
        char fault[BENCH_FAULT_BYTES])
{
    (void)object;
    (void)load;
    strcpy(fault, "it says no");
}

/* Run one table with one variant; `text` gets what was shown, 0-ended. */
static enum outcome
outcome_of(const struct sync_variant *like, enum wrong wrong,
           const struct sync_table *table, char text[], size_t size)
{
    struct sync_variant v[2] = {*like};
    struct sync_table tables[2] = {*table};
    const struct options o = {.duration_s = 0.05, .rounds = 1, .seed = 1};
    FILE *screen = tmpfile();
    struct report *r = report_create(screen);

    v[0].name = "toy";
    v[0].bytes = sizeof(struct toy);
    v[0].init = init;
    v[0].destroy = destroy;
    v[0].kind = (int)wrong;
    tables[0].name = "job";
    tables[0].title = "a job";
    tables[0].variants = v;
    report_scenario(r, "test");
    ck_assert_int_eq(sync_bench_run("bench test", tables, &o, r), OUTCOME_OK);
    const enum outcome outcome = report_outcome(r);
    rewind(screen);
    text[fread(text, 1, size - 1, screen)] = '\0';
    report_destroy(r);
    fclose(screen);
    return outcome;
}

static const struct sync_variant lock = {.work = as_lock};
static const struct sync_variant slow_lock = {.work = as_slow_lock};
static const struct sync_variant rest = {.work = as_rest};

static const struct case_ {
    const struct sync_variant *right;
    const struct sync_variant *broken; /* NULL: this job sees nothing wrong */
    struct sync_table table;
    const char *unit;
    const char *fault; /* what is said of the broken one */
} cases[] = {
    {&lock, NULL, {.job = SYNC_PAIR, .threads = {1}}, "ns/pair", NULL},
    {&rest, NULL, {.job = SYNC_CALL, .threads = {1}}, "ns/call", NULL},
    {&rest,
     NULL,
     {.job = SYNC_CALL, .threads = {1}, .unit = "us/start"},
     "us/start",
     NULL},
    {&lock,
     &slow_lock,
     {.job = SYNC_SECTIONS,
      .threads = {2},
      .inside_ns = 50,
      .outside_ns = 100,
      .jitter_percent = 50},
     "switches",
     "two were in at once"},
    {&lock,
     &slow_lock,
     {.job = SYNC_READERS, .threads = {3}, .write_percent = 50},
     "turns",
     "FAILED"},
    {&rest,
     &rest,
     {.job = SYNC_PING, .place = SYNC_ONE_CPU},
     "us/round trip",
     "FAILED"},
    {&rest,
     NULL,
     {.job = SYNC_PING, .place = SYNC_TWO_CPUS},
     "us/round trip",
     NULL},
    {&rest, &rest, {.job = SYNC_ROUNDS, .threads = {3}}, "us/round", "FAILED"},
    {&rest, &rest, {.job = SYNC_IDLE}, "us of CPU", "FAILED"},
    {&lock, &lock, {.job = SYNC_IDLE}, "us of CPU", "FAILED"},
};
#define CASES ((int)(sizeof(cases) / sizeof(cases[0])))

START_TEST(test_each_job_measures_what_is_right)
{
    const struct case_ *c = &cases[_i];
    char text[16384];

    ck_assert_int_eq(outcome_of(c->right, RIGHT, &c->table, text, sizeof(text)),
                     OUTCOME_OK);
    ck_assert_ptr_nonnull(strstr(text, c->unit));
    ck_assert_ptr_nonnull(strstr(text, "  toy "));
    ck_assert_ptr_nonnull(strstr(text, " ok"));
}
END_TEST

/* Whether one of many runs fails, with such a text: on a busy machine two
 * threads may not have met in the first. */
static bool
is_found(const struct sync_variant *v, enum wrong wrong,
         const struct sync_table *table, const char *with)
{
    char text[16384];

    for (int tries = 0; tries < TRIES; tries++)
        if (outcome_of(v, wrong, table, text, sizeof(text)) == OUTCOME_FAILED)
            return strstr(text, "FAILED") != NULL && strstr(text, with) != NULL;
    return false;
}

START_TEST(test_each_job_finds_what_never_waits)
{
    const struct case_ *c = &cases[_i];

    if (c->broken != NULL)
        ck_assert(is_found(c->broken, NO_WAIT, &c->table, c->fault));
}
END_TEST

START_TEST(test_sections_find_what_sometimes_lets_two_in)
{
    const struct sync_table t = {.job = SYNC_SECTIONS, .threads = {4}};

    ck_assert(is_found(&slow_lock, SOMETIMES, &t, "two were in at once"));
}
END_TEST

START_TEST(test_what_the_variant_says_is_believed)
{
    const struct sync_variant v = {.work = as_lock, .check = says_no};
    const struct sync_table t = {.job = SYNC_PAIR, .threads = {1}};
    char text[16384];

    ck_assert_int_eq(outcome_of(&v, RIGHT, &t, text, sizeof(text)),
                     OUTCOME_FAILED);
    ck_assert_ptr_nonnull(strstr(text, "it says no"));
}
END_TEST

START_TEST(test_a_job_that_the_variant_cannot_do_is_failed)
{
    const struct sync_variant v = {.work = as_nothing};
    char text[16384];

    for (int i = 0; i < CASES; i++) {
        ck_assert_int_eq(
            outcome_of(&v, RIGHT, &cases[i].table, text, sizeof(text)),
            OUTCOME_FAILED);
        ck_assert_ptr_nonnull(strstr(text, "never came to its first turn"));
    }
}
END_TEST

START_TEST(test_busy_work_takes_longer_the_more_is_asked)
{
    ck_assert_uint_eq(sync_loops_of(0), 0);
    ck_assert_uint_lt(sync_loops_of(100), sync_loops_of(1000));
    ck_assert_uint_lt(sync_loops_of(1000), sync_loops_of(10000));
}
END_TEST

START_TEST(test_jitter_stays_within_its_width)
{
    uint64_t x = 1;
    uint64_t sum = 0;

    for (int i = 0; i < 10000; i++) {
        x = sync_busy(x, 1);
        const unsigned loops = sync_jitter(x, 100, 50);
        ck_assert_uint_ge(loops, 75);
        ck_assert_uint_le(loops, 125);
        sum += loops;
    }
    ck_assert_uint_ge(sum / 10000, 97);
    ck_assert_uint_le(sum / 10000, 103);
    ck_assert_uint_eq(sync_jitter(x, 100, 0), 100);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_each_job_measures_what_is_right, CASES},
        {&test_each_job_finds_what_never_waits, CASES},
        {&test_sections_find_what_sometimes_lets_two_in, 1},
        {&test_what_the_variant_says_is_believed, 1},
        {&test_a_job_that_the_variant_cannot_do_is_failed, 1},
        {&test_busy_work_takes_longer_the_more_is_asked, 1},
        {&test_jitter_stays_within_its_width, 1},
    };

    return run_tests("bench_sync", tests, sizeof(tests) / sizeof(tests[0]), 60);
}
