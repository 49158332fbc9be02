/* SPDX-License-Identifier: MIT */
/*
 * What the benches promise: medians of one state of the machine only, and no
 * number of a queue or a counter that lost something.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/counter_loops.h"
#include "bench/queue_loops.h"
#include "bench/scenario_run.h"
#include "bench/text.h"
#include "report/data.h"
#include "scenario.h"
#include "testing.h"

extern const struct scenario bench_counter;
extern const struct scenario bench_ring;
extern const struct scenario bench_spsc;

/* Round trips of a machine whose CPUs are near, and far [ns]. */
#define NEAR 60
#define FAR  300

static struct bench_sample
sample(double value, double before_ns, double after_ns)
{
    return (struct bench_sample){.value = value,
                                 .trip_before_ns = before_ns,
                                 .trip_after_ns = after_ns,
                                 .done = true};
}

START_TEST(test_median_is_the_middle)
{
    double odd[] = {9, 1, 5};
    double even[] = {4, 1, 2, 100};
    double one[] = {7};

    ck_assert_double_eq(bench_median(odd, 3), 5);
    ck_assert_double_eq(bench_median(even, 4), 3);
    ck_assert_double_eq(bench_median(one, 1), 7);
    ck_assert_double_eq(bench_median(one, 0), 0);
}
END_TEST

START_TEST(test_state_is_far_beyond_twice_the_shortest_trip_and_150_ns)
{
    const struct bench_sample near = sample(1, NEAR, 2 * NEAR);
    const struct bench_sample far = sample(1, FAR, FAR);
    const struct bench_sample quick = sample(1, 140, 140);
    const struct bench_sample moved = sample(1, NEAR, FAR);
    const struct bench_sample alone = sample(1, 0, 0);

    ck_assert_int_eq(bench_state_of(&near, NEAR), BENCH_NEAR);
    ck_assert_int_eq(bench_state_of(&far, NEAR), BENCH_FAR);
    /* A machine that was never near: its long trips are its normal ones. */
    ck_assert_int_eq(bench_state_of(&far, FAR - 20), BENCH_NEAR);
    /* Twice the shortest, but no CPU is called far for that little. */
    ck_assert_int_eq(bench_state_of(&quick, 45), BENCH_NEAR);
    ck_assert_int_eq(bench_state_of(&moved, NEAR), BENCH_MOVED);
    ck_assert_int_eq(bench_state_of(&alone, 0), BENCH_ALONE);
}
END_TEST

START_TEST(test_medians_never_mix_states)
{
    struct bench_sample samples[] = {
        sample(100, NEAR, NEAR), sample(10, FAR, FAR), sample(110, NEAR, NEAR),
        sample(55, NEAR, FAR),   sample(12, FAR, FAR), sample(90, NEAR, NEAR),
    };
    struct bench_row row = {.name = "row", .samples = samples};
    struct bench_table table = {.rows = &row, .row_count = 1};

    ck_assert_int_eq(bench_state_of_table(&table, 6, NEAR), BENCH_NEAR);
    const struct bench_summary near =
        bench_summarize(&row, 6, BENCH_NEAR, NEAR);
    ck_assert_double_eq(near.median, 100);
    ck_assert_double_eq(near.least, 90);
    ck_assert_double_eq(near.most, 110);
    ck_assert_uint_eq(near.rounds, 3);
    ck_assert_uint_eq(near.of, 6);
    const struct bench_summary far = bench_summarize(&row, 6, BENCH_FAR, NEAR);
    ck_assert_double_eq(far.median, 11);
    ck_assert_uint_eq(far.rounds, 2);
    ck_assert_double_eq(far.trip_ns, FAR);
}
END_TEST

START_TEST(test_state_of_a_table_is_that_of_most_rounds)
{
    struct bench_sample a[] = {sample(1, NEAR, NEAR), sample(2, FAR, FAR)};
    struct bench_sample b[] = {sample(3, FAR, FAR), sample(4, FAR, FAR)};
    struct bench_row rows[] = {{.name = "a", .samples = a},
                               {.name = "b", .samples = b}};
    struct bench_table table = {.rows = rows, .row_count = 2};

    ck_assert_int_eq(bench_state_of_table(&table, 2, NEAR), BENCH_FAR);
}
END_TEST

START_TEST(test_row_without_a_round_in_the_state_says_so)
{
    struct bench_sample samples[] = {sample(10, FAR, FAR),
                                     sample(55, NEAR, FAR)};
    struct bench_row row = {.name = "row", .samples = samples};

    const struct bench_summary s = bench_summarize(&row, 2, BENCH_NEAR, NEAR);
    ck_assert_int_eq(s.state, BENCH_FAR);
    ck_assert_double_eq(s.median, 10);
}
END_TEST

START_TEST(test_rounds_that_did_not_end_do_not_count)
{
    struct bench_sample samples[] = {sample(10, NEAR, NEAR),
                                     sample(900, NEAR, NEAR)};
    struct bench_row row = {.name = "row", .samples = samples};

    samples[1].done = false;
    const struct bench_summary s = bench_summarize(&row, 2, BENCH_NEAR, NEAR);
    ck_assert_double_eq(s.median, 10);
    ck_assert_uint_eq(s.rounds, 1);
}
END_TEST

START_TEST(test_fault_of_any_round_is_the_rows)
{
    struct bench_sample samples[] = {sample(1, NEAR, NEAR),
                                     sample(2, FAR, FAR)};
    struct bench_row row = {.name = "row", .samples = samples};

    strcpy(samples[1].fault, "lost");
    const struct bench_summary s = bench_summarize(&row, 2, BENCH_NEAR, NEAR);
    ck_assert_ptr_nonnull(s.fault);
    ck_assert_str_eq(s.fault, "lost");
}
END_TEST

START_TEST(test_shares_of_the_cpus_add_up)
{
    const struct usage from = {true, 1, 10, 2, 100};
    const struct usage to = {true, 3, 16, 3, 105};
    const struct usage_share s = usage_between(&from, &to, 2);

    ck_assert_double_eq_tol(s.ours, 0.2, 1e-9);
    ck_assert_double_eq_tol(s.others, 0.4, 1e-9);
    ck_assert_double_eq_tol(s.stolen, 0.1, 1e-9);
}
END_TEST

START_TEST(test_round_trip_is_between_two_cpus_or_none)
{
    struct report *r = report_create(tmpfile());
    const double trip_ns = bench_round_trip(r);

    ck_assert_double_ge(trip_ns, 0);
    ck_assert_double_lt(trip_ns, 1e9);
    report_destroy(r);
}
END_TEST

/* What the hands of a run of two producers and two consumers found. */
static void
check_hands(const struct queue_hand hands[4], char fault[BENCH_FAULT_BYTES])
{
    static const struct queue_variant ordered = {.modes = QUEUE_ANY};
    const struct queue_run run = {.variant = &ordered,
                                  .hands =
                                      (struct queue_hand *)(uintptr_t)hands,
                                  .hand_count = 4};

    queue_check(&run, fault);
}

START_TEST(test_what_went_in_must_come_out)
{
    static const struct queue_hand good[4] = {
        {.pushed = 3, .pushed_sum = 60},
        {.pushed = 2, .pushed_sum = 7},
        {.popped = 1, .popped_sum = 20},
        {.popped = 4, .popped_sum = 47},
    };
    struct queue_hand bad[4];
    char fault[BENCH_FAULT_BYTES];

    check_hands(good, fault);
    ck_assert_str_eq(fault, "");

    memcpy(bad, good, sizeof(bad));
    bad[3].popped = 3;
    check_hands(bad, fault);
    ck_assert_str_eq(fault, "1 of 5 items were lost");

    bad[3].popped = 5;
    check_hands(bad, fault);
    ck_assert_str_eq(fault, "5 items went in, 6 came out");

    memcpy(bad, good, sizeof(bad));
    bad[2].popped_sum = 21;
    check_hands(bad, fault);
    ck_assert_str_eq(fault, "what came out is not what went in: sums differ");

    memcpy(bad, good, sizeof(bad));
    bad[2].disorder = 1;
    check_hands(bad, fault);
    ck_assert_str_eq(fault, "1 items overtook another of the same producer");
}
END_TEST

/* A rival that is right but for one thing, now and then. */
enum wrong { LOSES, DOUBLES, SWAPS, INVENTS };

struct faulty {
    pthread_mutex_t lock;
    enum wrong wrong;
    uint64_t pushes;
    size_t capacity;
    size_t count;
    size_t head;
    void *items[];
};

static void *
faulty_create(const struct queue_load *load, int kind)
{
    struct faulty *q =
        calloc(1, sizeof(*q) + load->capacity * sizeof(q->items[0]));

    ck_assert_ptr_nonnull(q);
    pthread_mutex_init(&q->lock, NULL);
    q->wrong = (enum wrong)kind;
    q->capacity = load->capacity;
    return q;
}

static void
faulty_put(struct faulty *q, void *item)
{
    q->items[(q->head + q->count) % q->capacity] = item;
    q->count++;
}

static bool
faulty_push(struct queue_hand *h, void *queue, void *item)
{
    struct faulty *q = queue;

    (void)h;
    pthread_mutex_lock(&q->lock);
    const bool room = q->count + 2 <= q->capacity;
    const bool now = room && ++q->pushes % 10 == 0;
    void **last = &q->items[(q->head + q->count - 1) % q->capacity];
    if (room && !(now && q->wrong == LOSES))
        faulty_put(q, item);
    if (now && q->wrong == DOUBLES)
        faulty_put(q, item);
    if (now && q->wrong == INVENTS)
        q->items[q->head] = (void *)((uintptr_t)q->items[q->head] + 1);
    if (now && q->wrong == SWAPS && q->count > 1) {
        void **newest = &q->items[(q->head + q->count - 1) % q->capacity];
        void *item_before = *last;
        *last = *newest;
        *newest = item_before;
    }
    pthread_mutex_unlock(&q->lock);
    return room;
}

static bool
faulty_pop(struct queue_hand *h, void *queue, void **item)
{
    struct faulty *q = queue;

    (void)h;
    pthread_mutex_lock(&q->lock);
    const bool some = q->count > 0;
    if (some) {
        *item = q->items[q->head];
        q->head = (q->head + 1) % q->capacity;
        q->count--;
    }
    pthread_mutex_unlock(&q->lock);
    return some;
}

static void
faulty_work(struct queue_hand *h)
{
    static const struct queue_ops ops = {faulty_push, faulty_pop, NULL, NULL};

    queue_work(h, &ops);
}

/* Run `row` as the only one of a bench; return what the run comes to. */
static enum outcome
outcome_of(bool (*measure)(const struct bench_table *, const struct bench_row *,
                           const struct bench_cell *, struct bench_sample *),
           const void *load, size_t load_bytes, const void *subject)
{
    const struct options o = {.duration_s = 0.05, .rounds = 1, .seed = 1};
    struct report *r = report_create(tmpfile());
    struct bench_run run;
    void *copy = malloc(load_bytes);

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, load, load_bytes);
    report_scenario(r, "test");
    bench_begin(&run, "bench test", &o, r, 1, 1);
    struct bench_table *t =
        bench_table(&run, &(struct bench_table){.name = bench_text("test"),
                                                .unit = "M/s",
                                                .weight = 1,
                                                .measure = measure,
                                                .load = copy});
    bench_row(t, &(struct bench_row){.name = "faulty", .subject = subject});
    ck_assert_int_eq(bench_run_scenario(&run, "2"), OUTCOME_OK);
    const enum outcome outcome = report_outcome(r);
    report_destroy(r);
    return outcome;
}

START_TEST(test_row_of_a_faulty_queue_is_failed)
{
    const struct queue_variant v = {.name = "faulty",
                                    .rival = true,
                                    .modes = QUEUE_ANY,
                                    .kind = _i,
                                    .create = faulty_create,
                                    .destroy = free,
                                    .work = faulty_work};
    const struct queue_load load = {QUEUE_FLOW, 1, 1, 64, false};

    ck_assert_int_eq(outcome_of(queue_measure, &load, sizeof(load), &v),
                     OUTCOME_FAILED);
}
END_TEST

/* Adds 1, but not every time. */
static void
forgetful_add(struct counter_hand *h, void *counter)
{
    (void)h;
    int64_t *c = counter;

    c[1]++;
    if (c[1] % 100 != 0)
        c[0]++;
}

static int64_t
forgetful_sum(void *counter)
{
    return *(int64_t *)counter;
}

static void *
forgetful_create(unsigned threads, int kind)
{
    (void)threads;
    (void)kind;
    return calloc(2, sizeof(int64_t));
}

static void
forgetful_work(struct counter_hand *h)
{
    static const struct counter_ops ops = {forgetful_add, forgetful_sum};

    counter_work(h, &ops);
}

START_TEST(test_row_of_a_forgetful_counter_is_failed)
{
    static const struct counter_variant v = {.name = "forgetful",
                                             .create = forgetful_create,
                                             .destroy = free,
                                             .work = forgetful_work,
                                             .sum = forgetful_sum};
    const struct counter_load load = {.reads = _i == 1, .threads = 1};

    ck_assert_int_eq(outcome_of(counter_measure, &load, sizeof(load), &v),
                     OUTCOME_FAILED);
}
END_TEST

START_TEST(test_every_row_of_a_quick_run_is_right)
{
    static const struct scenario *const benches[] = {&bench_counter,
                                                     &bench_ring, &bench_spsc};
    static const size_t tables[] = {3, 4 + 2 + 2 + 1, 2 + 1 + 1 + 1};
    const struct scenario *s = benches[_i];
    struct options o = {.duration_s = 0.2,
                        .rounds = 1,
                        .seed = 1,
                        .threads = {1, 3},
                        .thread_counts = 2};
    static const struct extra mix = {.name = "mix"};
    struct report *r = report_create(tmpfile());

    o.extras[0].extra = &mix;
    o.extras[0].value = "1x1,2x3";
    o.extra_count = 1;
    report_scenario(r, s->name);
    ck_assert_int_eq(s->run(&o, r), OUTCOME_OK);
    ck_assert_int_eq(report_outcome(r), OUTCOME_OK);
    ck_assert_uint_eq(r->table_count, tables[_i]);
    for (size_t i = 0; i < r->table_count; i++) {
        const struct table *t = r->tables[i];
        ck_assert_uint_ge(t->row_count, 4);
        for (size_t k = 0; k < t->row_count; k++) {
            ck_assert_int_eq(t->rows[k].verdict, VERDICT_OK);
            ck_assert_double_gt(t->rows[k].cells[1].real, 0);
        }
    }
    report_destroy(r);
}
END_TEST

START_TEST(test_no_variant_of_that_name_is_wrong_usage)
{
    static const struct extra only = {.name = "only"};
    struct options o = {.duration_s = 0.1, .rounds = 1, .seed = 1};
    struct report *r = report_create(tmpfile());

    o.extras[0].extra = &only;
    o.extras[0].value = "no such thing";
    o.extra_count = 1;
    ck_assert_int_eq(bench_ring.run(&o, r), OUTCOME_USAGE);
    ck_assert_int_eq(bench_counter.run(&o, r), OUTCOME_USAGE);
    report_destroy(r);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_median_is_the_middle, 1},
        {&test_state_is_far_beyond_twice_the_shortest_trip_and_150_ns, 1},
        {&test_medians_never_mix_states, 1},
        {&test_state_of_a_table_is_that_of_most_rounds, 1},
        {&test_row_without_a_round_in_the_state_says_so, 1},
        {&test_rounds_that_did_not_end_do_not_count, 1},
        {&test_fault_of_any_round_is_the_rows, 1},
        {&test_shares_of_the_cpus_add_up, 1},
        {&test_round_trip_is_between_two_cpus_or_none, 1},
        {&test_what_went_in_must_come_out, 1},
        {&test_row_of_a_faulty_queue_is_failed, 4},
        {&test_row_of_a_forgetful_counter_is_failed, 2},
        {&test_every_row_of_a_quick_run_is_right, 3},
        {&test_no_variant_of_that_name_is_wrong_usage, 1},
    };

    return run_tests("bench", tests, sizeof(tests) / sizeof(tests[0]), 60);
}
