/* SPDX-License-Identifier: MIT */
/*
 * What the lock-free stack promises about its inside.
 */
#include "container/stack_impl.h"

#include "alloc_fail.h"
#include "testing.h"

static weft_stack *
new_stack(void)
{
    weft_stack *s = NULL;

    ck_assert_int_eq(weft_stack_create(&s, WEFT_LOCKFREE), WEFT_OK);
    return s;
}

static void
push_numbers(weft_stack *s, uintptr_t from, uintptr_t to)
{
    for (; from < to; from++)
        ck_assert_int_eq(weft_stack_push(s, (void *)from), WEFT_OK);
}

static void
pop_numbers(weft_stack *s, uintptr_t to, uintptr_t from)
{
    while (to > from) {
        void *got;
        ck_assert_int_eq(weft_stack_pop(s, &got), WEFT_OK);
        ck_assert_uint_eq((uintptr_t)got, --to);
    }
}

static void
set_stamp(struct weft_pair *list, uint64_t stamp)
{
    atomic_store_explicit(&list->stamp, stamp, memory_order_relaxed);
}

/* As if each list had changed `stamp` times. */
static void
begin_at(weft_stack *s, uint64_t stamp)
{
    set_stamp(&s->top, stamp);
    set_stamp(&s->nodes.apart, stamp);
    for (size_t i = 0; i < WEFT_NODES_STRIPES; i++)
        set_stamp(&s->nodes.stripes[i].list, stamp);
}

START_TEST(test_stamps_may_wrap)
{
    static const uint64_t starts[] = {UINT64_MAX - 3, UINT64_MAX - 400,
                                      UINT64_MAX / 2 - 400, UINT32_MAX - 400};

    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        weft_stack *s = new_stack();
        begin_at(s, starts[i]);
        for (uintptr_t depth = 1; depth < 1000; depth *= 3) {
            push_numbers(s, 0, depth);
            ck_assert_uint_eq(weft_stack_size(s), depth);
            pop_numbers(s, depth, 0);
            ck_assert_uint_eq(weft_stack_size(s), 0);
        }
        /* It did wrap, or pass the bit. */
        ck_assert_uint_lt(s->top.stamp - starts[i], 10000);
        ck_assert_uint_gt(s->top.stamp - starts[i], 400);
        weft_stack_destroy(s);
    }
}
END_TEST

/* A pop that stops after it has read the top and what lies below. */
START_TEST(test_a_node_that_came_back_fools_no_pop)
{
    weft_stack *s = new_stack();
    void *two[2];

    push_numbers(s, 0, 2);
    const uint64_t stamp = s->top.stamp;
    struct weft_node *const first = s->top.item;
    struct weft_node *const next = first->next;

    ck_assert_uint_eq(weft_stack_pop_n(s, two, 2), 2);
    push_numbers(s, 7, 8);
    ck_assert_ptr_eq(s->top.item, first); /* the same, and nothing below */
    ck_assert_ptr_null(first->next);
    ck_assert(!weft_pair_replace_(&s->top, first, stamp, next, stamp + 1,
                                  memory_order_acq_rel));
    ck_assert_uint_eq(weft_stack_size(s), 1);
    pop_numbers(s, 8, 7);
    weft_stack_destroy(s);
}
END_TEST

/* The same where nodes are taken. */
START_TEST(test_a_node_that_came_back_fools_no_push)
{
    weft_stack *s = new_stack();
    struct weft_chain c[3];

    push_numbers(s, 0, 1);
    struct weft_pair *stripe = NULL;
    for (size_t i = 0; i < WEFT_NODES_STRIPES; i++)
        if (s->nodes.stripes[i].list.item != NULL)
            stripe = &s->nodes.stripes[i].list;
    ck_assert_ptr_nonnull(stripe);
    const uint64_t stamp = stripe->stamp;
    struct weft_node *const first = stripe->item;
    struct weft_node *const next = first->next;

    for (int i = 0; i < 3; i++)
        c[i] = weft_nodes_take_(&s->nodes, 1);
    ck_assert_ptr_eq(c[0].first, first);
    ck_assert_ptr_eq(c[1].first, next);
    weft_nodes_give_(&s->nodes, &c[2]); /* the spare one */
    weft_nodes_give_(&s->nodes, &c[0]);
    ck_assert_ptr_eq(stripe->item, first);
    ck_assert_ptr_ne(first->next, next);
    ck_assert(!weft_pair_replace_(stripe, first, stamp, next, stamp + 1,
                                  memory_order_acq_rel));
    weft_nodes_give_(&s->nodes, &c[1]);
    pop_numbers(s, 1, 0);
    ck_assert_uint_eq(weft_stack_size(s), 0);
    weft_stack_destroy(s);
}
END_TEST

/* A call that stopped with a node in hand, for ever. */
START_TEST(test_a_stopped_call_stops_nobody)
{
    weft_stack *s = new_stack();
    struct weft_chain pushed = weft_nodes_take_(&s->nodes, 1);
    struct weft_chain popped;

    ck_assert_uint_eq(pushed.count, 1);
    push_numbers(s, 0, 1000);
    ck_assert(weft_nodes_detach_(&s->top, 1, &popped));
    ck_assert_uint_eq((uintptr_t)popped.first->value, 999);
    pop_numbers(s, 999, 0);
    ck_assert_uint_eq(weft_stack_size(s), 2); /* what they have in hand */
    push_numbers(s, 0, 1000);

    /* They go on. */
    weft_nodes_give_(&s->nodes, &popped);
    pushed.first->value = (void *)1000;
    ck_assert(weft_nodes_attach_(&s->top, &pushed));
    ck_assert_uint_eq(weft_stack_size(s), 1001);
    pop_numbers(s, 1001, 0);
    ck_assert_uint_eq(weft_stack_size(s), 0);
    weft_stack_destroy(s);
}
END_TEST

/* Nodes and not allocations serve all items after the deepest time. */
START_TEST(test_memory_is_that_of_the_most_items_at_once)
{
    weft_stack *s = new_stack();
    void *block[100];

    push_numbers(s, 0, 5000);
    pop_numbers(s, 5000, 0);
    alloc_fail_at(0);
    for (size_t n = 1; n <= 100; n++)
        for (unsigned turn = 0; turn < 50; turn++) {
            if (weft_stack_pop_n(s, block, n) != 0)
                break; /* never: a check that allocates nothing */
            for (size_t i = 0; i < 5000 / n; i++)
                if (weft_stack_push_n(s, block, n) != n)
                    break;
            while (weft_stack_pop_n(s, block, 1 + n / 2) > 0)
                continue;
        }
    ck_assert_uint_eq(alloc_fail_stop(), 0);
    ck_assert_uint_eq(weft_stack_size(s), 0);
    weft_stack_destroy(s);
}
END_TEST

/* Free nodes of other stripes are found before memory is asked for. */
START_TEST(test_nodes_that_others_gave_back_are_used)
{
    weft_stack *s = new_stack();
    const struct weft_chain all = weft_nodes_take_(&s->nodes, 1);

    weft_nodes_give_(&s->nodes, &all);
    struct weft_pair *from = NULL;
    struct weft_pair *to = NULL;
    for (size_t i = 0; i < WEFT_NODES_STRIPES; i++) {
        struct weft_pair *list = &s->nodes.stripes[i].list;
        if (list->item != NULL)
            from = list;
        else
            to = list;
    }
    to->item = from->item;
    from->item = NULL;
    push_numbers(s, 0, WEFT_NODES_FIRST - WEFT_NODES_CHAIN);
    alloc_fail_at(1);
    for (unsigned i = 0; i < WEFT_NODES_CHAIN; i++)
        if (weft_stack_push(s, NULL) != WEFT_OK)
            break;
    ck_assert_uint_eq(alloc_fail_stop(), 0);
    ck_assert_uint_eq(weft_stack_size(s), WEFT_NODES_FIRST);
    weft_stack_destroy(s);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_stamps_may_wrap, 1},
        {&test_a_node_that_came_back_fools_no_pop, 1},
        {&test_a_node_that_came_back_fools_no_push, 1},
        {&test_a_stopped_call_stops_nobody, 1},
        {&test_memory_is_that_of_the_most_items_at_once, 1},
        {&test_nodes_that_others_gave_back_are_used, 1},
    };

    return run_tests("stack_inside", tests, sizeof(tests) / sizeof(tests[0]),
                     30);
}
