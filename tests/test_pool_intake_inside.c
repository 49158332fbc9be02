/* SPDX-License-Identifier: MIT */
/*
 * test_pool_intake_inside.c - calls of an intake that are held up half way while
 * its segments serve again.  The source itself is part of this program, so that
 * a test can act at a schedule point of it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/sched.h"
#include "testing.h"

static void do_at(const char *point);
#undef WEFT_SCHED_POINT_
#define WEFT_SCHED_POINT_(name) do_at(name)
#include "container/segments.c" // NOLINT: on purpose
#include "pool/intake.c"        // NOLINT: on purpose

#define CELLS 3

static struct weft_intake *q;
static uintptr_t in;      /* the next job that is put */
static uintptr_t out;     /* the next that comes out */
static const char *where; /* NULL: nowhere */
static void (*act)(void);

/* As a second thread would, at its fastest. */
static void
do_at(const char *point)
{
    if (where == NULL || strcmp(point, where) != 0)
        return;
    where = NULL;
    act();
}

static void
hold_up(const char *point, void (*meanwhile)(void))
{
    where = point;
    act = meanwhile;
}

static void
open_intake(void)
{
    weft_intake_cells_ = CELLS;
    q = aligned_alloc(alignof(struct weft_intake), sizeof(*q));
    memset(q, 0, sizeof(*q));
    ck_assert_int_eq(weft_intake_init_(q), WEFT_OK);
}

static void
close_intake(void)
{
    ck_assert_ptr_null(where);
    weft_intake_fini_(q);
    weft_reclaim_barrier_();
    free(q);
}

static void *
number(void *arg)
{
    return arg;
}

static void
put_number(uintptr_t i)
{
    ck_assert_int_eq(weft_intake_put_(q, (struct weft_job_){number, (void *)i}),
                     WEFT_OK);
}

static void
put(unsigned n)
{
    for (; n > 0; n--)
        put_number(in++);
}

static void
take(unsigned n)
{
    struct weft_job_ got;

    for (; n > 0; n--) {
        ck_assert(weft_intake_take_(q, &got));
        ck_assert(got.fn == number);
        ck_assert_uint_eq((uintptr_t)got.arg, out);
        out++;
    }
}

static void
take_all(void)
{
    struct weft_job_ got;

    take((unsigned)(in - out));
    ck_assert(!weft_intake_take_(q, &got));
}

/* Fill the first segment, and take what is in it. */
static void
empty_the_first(void)
{
    put((unsigned)(CELLS - in));
    take((unsigned)(in - out));
}

/* The same, and go on until it serves again: its first job waits behind two of
 * the second segment. */
static void
go_round(void)
{
    empty_the_first();
    put(1);
    take(1);
    put(CELLS);
    ck_assert_uint_eq(in - out, CELLS);
}

static void
go_round_and_close(void)
{
    go_round();
    weft_intake_close_(q);
}

/* Two of the second segment wait, and it is full. */
static void
fill_the_second_and_close(void)
{
    put(CELLS);
    take(1);
    weft_intake_close_(q);
}

/* The first cell of the second segment is the oldest, of one or two. */
static void
go_on_by_one(void)
{
    empty_the_first();
    put(1);
}

static void
go_on_by_two(void)
{
    empty_the_first();
    put(2);
}

/* --- a put or a close that has its place --------------------------------------- */

/* Its cell is free again, but behind another that is free. */
START_TEST(test_a_put_that_was_held_up_fills_no_cell_of_a_later_life)
{
    open_intake();
    put(CELLS - 1);
    if (_i == 1) /* by the slow way */
        atomic_store(&q->list.tail.position, 0);
    hold_up("pool.put.has_place", go_round);
    /* Its number is the first behind those that are put meanwhile. */
    put_number(2 * CELLS + 1);
    in++;
    put(CELLS);
    take_all();
    close_intake();
}
END_TEST

START_TEST(test_a_close_that_was_held_up_closes_no_cell_of_a_later_life)
{
    open_intake();
    put(CELLS - 1);
    hold_up("pool.put.has_place", go_round);
    weft_intake_close_(q);
    ck_assert_int_eq(weft_intake_put_(q, (struct weft_job_){number, NULL}),
                     WEFT_CLOSED);
    take_all();
    ck_assert(weft_intake_is_drained_(q));
    close_intake();
}
END_TEST

/* A place in fresh memory, which has no life in its cells. */
START_TEST(test_a_hint_that_means_another_segment_is_not_followed)
{
    open_intake();
    put(CELLS + 1);
    atomic_store(&q->list.tail.position, weft_segments_position_(1, CELLS - 1));
    put(CELLS);
    take_all();
    close_intake();
}
END_TEST

static unsigned
count_segments(void)
{
    unsigned n = 0;

    for (segment *s = atomic_load(&q->list.head.segment.item); s != NULL;
         s = atomic_load(&s->next.item))
        n++;
    for (unsigned i = 0; i < WEFT_SEGMENTS_SPARES; i++)
        n += atomic_load(&q->list.spares[i]) != NULL;
    return n;
}

static void
go_round_beside(void)
{
    put(1);
    take(CELLS + 1);
    put(CELLS);
    take(1);
}

START_TEST(test_a_segment_is_not_appended_to_a_later_life_of_another)
{
    open_intake();
    put(CELLS);
    hold_up("segments.prepared", go_round_beside);
    put_number(2 * CELLS + 1);
    in++;
    ck_assert_uint_eq(count_segments(), 3);
    put(CELLS);
    take_all();
    close_intake();
}
END_TEST

static void
take_the_first(void)
{
    struct weft_job_ got;

    take(CELLS);
    ck_assert(!weft_intake_take_(q, &got));
    ck_assert_uint_eq(atomic_load(&q->list.head.segment.stamp), 2);
    ck_assert_uint_eq(atomic_load(&q->list.tail.segment.stamp), 2);
}

START_TEST(test_no_end_is_left_at_a_segment_that_is_put_away)
{
    open_intake();
    put(CELLS);
    hold_up("segments.appended", take_the_first);
    put(1);
    take_all();
    close_intake();
}
END_TEST

/* --- a take that has its position ---------------------------------------------- */

/* Where it looks is nothing, or something that is not its turn. */
static void (*const meanwhile[])(void) = {go_round, go_on_by_one, go_on_by_two};
static const char *const points[] = {"pool.take.has_position",
                                     "pool.take.has_place"};

START_TEST(test_a_take_that_was_held_up_takes_the_oldest)
{
    const int n = sizeof(meanwhile) / sizeof(meanwhile[0]);

    open_intake();
    put(1);
    take(1);
    if (_i / n % 2 == 1) /* not empty before either */
        put(1);
    hold_up(points[_i / n / 2], meanwhile[_i % n]);
    struct weft_job_ got;
    ck_assert(weft_intake_take_(q, &got));
    ck_assert_uint_eq((uintptr_t)got.arg, out);
    out++;
    put(2 * CELLS);
    take_all();
    close_intake();
}
END_TEST

START_TEST(test_what_was_held_up_does_not_call_an_intake_empty)
{
    open_intake();
    put(1);
    take(1);
    hold_up(points[_i / 2], _i % 2 == 0 ? go_round : go_round_and_close);
    if (_i % 2 == 0)
        ck_assert(weft_intake_is_ready_(q));
    else
        ck_assert(!weft_intake_is_drained_(q));
    take_all();
    close_intake();
}
END_TEST

/* It goes on from a segment, and others have done so before. */
static void
expect_two_of_three(const char *point)
{
    struct weft_job_ got;

    open_intake();
    put(CELLS);
    take(CELLS);
    hold_up(point, go_round);
    ck_assert(weft_intake_take_(q, &got));
    ck_assert_uint_eq((uintptr_t)got.arg, out);
    out++;
    put(CELLS);
    take_all();
    close_intake();
}

START_TEST(test_a_take_that_was_held_up_leaves_no_segment_that_is_not_its_own)
{
    expect_two_of_three("pool.take.has_position");
}
END_TEST

START_TEST(test_a_take_does_not_look_for_the_next_in_a_later_life)
{
    expect_two_of_three("pool.take.has_oldest");
}
END_TEST

START_TEST(test_an_end_of_the_list_behind_another_segment_is_not_the_end)
{
    open_intake();
    put(CELLS);
    take(CELLS);
    hold_up("pool.take.has_position", fill_the_second_and_close);
    ck_assert(!weft_intake_is_drained_(q));
    take_all();
    ck_assert(weft_intake_is_drained_(q));
    close_intake();
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_a_put_that_was_held_up_fills_no_cell_of_a_later_life, 2},
        {&test_a_close_that_was_held_up_closes_no_cell_of_a_later_life, 1},
        {&test_a_hint_that_means_another_segment_is_not_followed, 1},
        {&test_a_segment_is_not_appended_to_a_later_life_of_another, 1},
        {&test_no_end_is_left_at_a_segment_that_is_put_away, 1},
        {&test_a_take_that_was_held_up_takes_the_oldest,
         4 * sizeof(meanwhile) / sizeof(meanwhile[0])},
        {&test_what_was_held_up_does_not_call_an_intake_empty, 4},
        {&test_a_take_that_was_held_up_leaves_no_segment_that_is_not_its_own,
         1},
        {&test_a_take_does_not_look_for_the_next_in_a_later_life, 1},
        {&test_an_end_of_the_list_behind_another_segment_is_not_the_end, 1},
    };

    return run_tests("pool intake inside", tests,
                     sizeof(tests) / sizeof(tests[0]), 10);
}
