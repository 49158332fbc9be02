/* SPDX-License-Identifier: MIT */
/*
 * The nodes of a stack, when two threads take some at the same moment.  The
 * source itself is part of this program, so that a test can act at a schedule
 * point of it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/sched.h"
#include "testing.h"

static void do_at(const char *point);
#undef WEFT_SCHED_POINT_
#define WEFT_SCHED_POINT_(name) do_at(name)

static unsigned slabs_asked; /* for */
static unsigned slabs_live;

static void *
counted_alloc(size_t alignment, size_t n)
{
    slabs_asked++;
    slabs_live++;
    return aligned_alloc(alignment, n);
}

static void
counted_free(void *slab)
{
    slabs_live--;
    free(slab);
}

#define aligned_alloc counted_alloc
#define free          counted_free
#include "container/stack_nodes.c" // NOLINT: on purpose
#undef aligned_alloc
#undef free

static struct weft_nodes nodes;
static const char *where; /* NULL: nowhere */
static struct weft_chain got_there;

/* As a second thread would, at its fastest, take a node. */
static void
do_at(const char *point)
{
    if (where == NULL || strcmp(point, where) != 0)
        return;
    where = NULL;
    got_there = weft_nodes_take_(&nodes, 1);
}

static void
give_one(struct weft_node *node)
{
    const struct weft_chain c = {node, node, 1};

    weft_nodes_give_(&nodes, &c);
}

/* Be a thread whose stripe is another. */
static void
be_thread(unsigned k)
{
    my_number = 2 * k + 1;
}

START_TEST(test_slabs_are_as_big_as_all_before_them)
{
    const size_t n = (size_t)100 * 1000;

    weft_nodes_init_(&nodes);
    for (size_t i = 0; i < n; i++)
        if (weft_nodes_take_(&nodes, 1).count != 1)
            ck_abort_msg("none after %zu", i);
    ck_assert_uint_eq(weft_nodes_used_(&nodes), n);
    ck_assert_uint_eq(slabs_asked, 11); /* 128 * 2^10 is the first above n */
    weft_nodes_free_(&nodes);
    ck_assert_uint_eq(slabs_live, 0);
}
END_TEST

START_TEST(test_of_two_slabs_made_at_once_one_is_freed)
{
    weft_nodes_init_(&nodes);
    be_thread(0);
    where = "stack.slab.made";
    const struct weft_chain c = weft_nodes_take_(&nodes, 1);
    ck_assert_uint_eq(c.count, 1);
    ck_assert_uint_eq(got_there.count, 1);
    ck_assert_ptr_ne(c.first, got_there.first);
    ck_assert_uint_eq(slabs_asked, 2);
    ck_assert_uint_eq(slabs_live, 1);
    ck_assert_uint_eq(weft_nodes_used_(&nodes), 2);
    weft_nodes_free_(&nodes);
    ck_assert_uint_eq(slabs_live, 0);
}
END_TEST

/* Another takes the list that this one has read: nobody has a node twice. */
START_TEST(test_a_list_apart_goes_to_one)
{
    struct weft_node *all[4 * WEFT_NODES_CHAIN];
    const size_t n = sizeof(all) / sizeof(all[0]);

    weft_nodes_init_(&nodes);
    be_thread(0);
    for (size_t i = 0; i < n; i++)
        all[i] = weft_nodes_take_(&nodes, 1).first;
    for (size_t i = 0; i < n; i++)
        give_one(all[i]);
    ck_assert_uint_eq(weft_nodes_used_(&nodes), 0);
    be_thread(1);
    where = "stack.apart.read";
    const struct weft_chain c = weft_nodes_take_(&nodes, 1);
    ck_assert_uint_eq(c.count, 1);
    ck_assert_uint_eq(got_there.count, 1);
    ck_assert_ptr_ne(c.first, got_there.first);
    ck_assert_uint_eq(weft_nodes_used_(&nodes), 2);
    for (size_t i = 2; i < n; i++)
        ck_assert_uint_eq(weft_nodes_take_(&nodes, 1).count, 1);
    ck_assert_uint_eq(weft_nodes_used_(&nodes), n);
    ck_assert_uint_eq(slabs_live, 2); /* 128 and 128 */
    weft_nodes_free_(&nodes);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_slabs_are_as_big_as_all_before_them, 1},
        {&test_of_two_slabs_made_at_once_one_is_freed, 1},
        {&test_a_list_apart_goes_to_one, 1},
    };

    return run_tests("stack_nodes", tests, sizeof(tests) / sizeof(tests[0]),
                     20);
}
