/* SPDX-License-Identifier: MIT */
/*
 * What the forms of the heap promise about their insides: numbers that wrap,
 * memory that goes back, levels that lead forward, pins that hold a pop up.
 */
#include "container/heap_impl.h"

#include <pthread.h>
#include <sched.h>

#include "alloc_fail.h"
#include "heaps.h"

#define MANY 10000
#define SOME 1000

static struct thing things[MANY];

static struct weft_heap_node *
next_of(struct weft_heap_node *n, unsigned level)
{
    return weft_heap_led_to_(
        atomic_load_explicit(&n->next[level], memory_order_relaxed));
}

static void
push_all(weft_heap *h, size_t from, size_t to)
{
    for (size_t k = from; k < to; k++)
        ck_assert_int_eq(weft_heap_push(h, &things[k]), WEFT_OK);
}

START_TEST(test_equal_ones_keep_their_order_when_the_numbers_wrap)
{
    weft_heap *h = NULL;

    ck_assert_int_eq(weft_heap_create_keyed(&h, thing_key, NULL, WEFT_MUTEX),
                     WEFT_OK);
    h->arrivals = UINT64_MAX - 500;
    push_all(h, 0, 1000);
    for (unsigned k = 0; k < 1000; k++)
        ck_assert_ptr_eq(pop_thing(h), &things[k]);
    weft_heap_destroy(h);
}
END_TEST

START_TEST(test_the_array_shrinks_as_it_drains)
{
    weft_heap *h = NULL;

    ck_assert_int_eq(weft_heap_create_keyed(&h, thing_key, NULL, WEFT_MUTEX),
                     WEFT_OK);
    push_all(h, 0, MANY);
    ck_assert_uint_ge(h->room, MANY);
    for (unsigned k = 0; k < MANY; k++) {
        (void)pop_thing(h);
        ck_assert_uint_le(h->room, 4 * (weft_heap_size(h) + 1) + 16);
    }
    ck_assert_uint_eq(h->room, 16);
    weft_heap_destroy(h);
}
END_TEST

START_TEST(test_nodes_go_back_as_it_drains)
{
    weft_heap *h = new_heap(_i);
    bool ok = true;

    h->pool->most = 50; /* kept for use again; the rest goes */
    alloc_fail_at(0);
    for (unsigned k = 0; k < SOME; k++)
        ok &= weft_heap_push(h, &things[k]) == WEFT_OK;
    const unsigned full = alloc_live();
    for (unsigned k = 0; k < SOME; k++) {
        void *got;
        ok &= weft_heap_pop(h, &got) == WEFT_OK;
    }
    weft_reclaim_barrier_();
    (void)alloc_fail_stop();
    ck_assert(ok);
    ck_assert_uint_ge(full, SOME);
    ck_assert_uint_le(alloc_live(), 150);
    weft_heap_destroy(h);
}
END_TEST

START_TEST(test_nodes_are_used_again)
{
    weft_heap *h = new_heap(_i);
    bool ok = true;

    push_all(h, 0, SOME);
    for (unsigned k = 0; k < SOME; k++)
        (void)pop_thing(h);
    weft_reclaim_barrier_();
    alloc_fail_at(1);
    for (unsigned k = 0; k < SOME - 100; k++)
        ok &= weft_heap_push(h, &things[k]) == WEFT_OK;
    ck_assert_uint_eq(alloc_fail_stop(), 0);
    ck_assert(ok);
    for (unsigned k = 0; k < SOME - 100; k++)
        ck_assert_ptr_eq(pop_thing(h), &things[k]);
    weft_heap_destroy(h);
}
END_TEST

/* A push that is stopped while it makes its links holds up what comes after
 * its node, and no more; nobody has to wait. */
START_TEST(test_a_node_that_is_still_being_linked_stays)
{
    weft_heap *h = new_heap(_i);

    push_all(h, 0, 1000);
    struct weft_heap_node *slow = h->oldest;
    for (unsigned k = 0; k < 200; k++)
        slow = next_of(slow, 0);
    atomic_store_explicit(&slow->linked, 0, memory_order_relaxed);
    for (unsigned k = 0; k < 500; k++)
        ck_assert_ptr_eq(pop_thing(h), &things[k]);
    ck_assert_ptr_eq(h->oldest, slow);
    atomic_store_explicit(&slow->linked, 1, memory_order_relaxed);
    for (unsigned k = 500; k < 600; k++)
        ck_assert_ptr_eq(pop_thing(h), &things[k]);
    ck_assert_ptr_ne(h->oldest, slow);
    weft_heap_destroy(h);
}
END_TEST

/* Where `n` stands in level 0, counted from the oldest; 0: nowhere. */
static size_t
place_of(weft_heap *h, const struct weft_heap_node *n)
{
    size_t place = 1;

    for (struct weft_heap_node *m = h->oldest; m != NULL;
         m = next_of(m, 0), place++)
        if (m == n)
            return place;
    return 0;
}

static void
check_levels(weft_heap *h)
{
    for (unsigned i = 1; i < WEFT_HEAP_LEVELS; i++) {
        size_t last = 0;
        struct weft_heap_node *n = weft_heap_led_to_(
            atomic_load_explicit(&h->first[i], memory_order_relaxed));
        for (; n != NULL; n = next_of(n, i)) {
            const size_t place = place_of(h, n);
            ck_assert_uint_gt(place, last);
            last = place;
        }
    }
}

START_TEST(test_every_level_leads_forward_only)
{
    weft_heap *h = new_heap(_i);
    uint32_t state = 4711;

    /* Many pushes of something lower than what was taken last. */
    for (unsigned k = 0; k < 4000; k++) {
        state = state * 1664525 + 1013904223;
        things[k].key = (state >> 8) % 5;
        ck_assert_int_eq(weft_heap_push(h, &things[k]), WEFT_OK);
        if (state >> 30 != 0)
            (void)pop_thing(h);
        if (k % 16 == 0)
            check_levels(h);
    }
    weft_heap_destroy(h);
}
END_TEST

static void *
churn(void *arg)
{
    weft_heap *h = arg;
    uint32_t state = (uint32_t)(uintptr_t)&state;

    for (unsigned k = 0; k < 5000; k++) {
        void *got;
        state = state * 1664525 + 1013904223;
        if (weft_heap_push(h, &things[(state >> 8) % MANY]) != WEFT_OK)
            return h;
        if (state >> 31 != 0 && weft_heap_pop(h, &got) != WEFT_OK)
            return h;
    }
    return NULL;
}

START_TEST(test_the_same_after_many_threads)
{
    weft_heap *h = new_heap(_i);
    pthread_t threads[4];

    for (unsigned k = 0; k < MANY; k++)
        things[k].key = k % 97;
    for (unsigned k = 0; k < 4; k++)
        ck_assert_int_eq(pthread_create(&threads[k], NULL, churn, h), 0);
    for (unsigned k = 0; k < 4; k++) {
        void *bad;
        pthread_join(threads[k], &bad);
        ck_assert_ptr_null(bad);
    }
    for (struct weft_heap_pin *p =
             is_keyed(_i)
                 ? NULL
                 : atomic_load_explicit(&h->pins, memory_order_relaxed);
         p != NULL; p = p->next) {
        ck_assert_uint_eq(p->busy, 0);
        ck_assert_uint_eq(p->at, 0);
    }
    /* Level 0 is sorted, and what is above leads forward. */
    const size_t left = weft_heap_size(h);
    int64_t last = 0;
    size_t counted = 0;
    struct weft_heap_node *n =
        atomic_load_explicit(&h->front, memory_order_relaxed);
    for (uintptr_t link; (link = n->next[0]) != 0;
         n = weft_heap_led_to_(link)) {
        if ((link & WEFT_HEAP_TAKEN) != 0)
            continue;
        const struct thing *t = weft_heap_led_to_(link)->item;
        ck_assert_int_ge(t->key, last);
        last = t->key;
        counted++;
    }
    ck_assert_uint_eq(counted, left);
    for (size_t k = 0; k + 1000 < left; k++)
        (void)pop_thing(h);
    check_levels(h);
    weft_heap_destroy(h);
}
END_TEST

/* --- a pop waits for a compare with its item ----------------------------- */

static struct {
    weft_heap *heap;
    struct thing *looked_at;
    _Atomic bool armed;
    _Atomic bool inside;
    _Atomic bool popping;
    _Atomic bool returned;
    _Atomic unsigned wrong;
} scene;

static int
long_compare(const void *a, const void *b, void *ctx)
{
    if (atomic_load_explicit(&scene.armed, memory_order_acquire) &&
        (a == scene.looked_at || b == scene.looked_at)) {
        atomic_store_explicit(&scene.inside, true, memory_order_release);
        while (!atomic_load_explicit(&scene.popping, memory_order_acquire))
            sched_yield();
        /* Long enough for a pop to sleep; it must not return in that time. */
        for (int k = 0; k < 2000; k++)
            sched_yield();
        if (atomic_load_explicit(&scene.returned, memory_order_acquire))
            atomic_fetch_add_explicit(&scene.wrong, 1, memory_order_relaxed);
        atomic_store_explicit(&scene.armed, false, memory_order_release);
    }
    return thing_compare(a, b, ctx);
}

static void *
push_behind(void *arg)
{
    return weft_heap_push(scene.heap, arg) == WEFT_OK ? NULL : arg;
}

START_TEST(test_pop_returns_when_nobody_compares_with_its_item)
{
    struct thing first = {.key = 1};
    struct thing new = {.key = 3};
    pthread_t pusher;
    void *bad;

    ck_assert_int_eq(
        weft_heap_create(&scene.heap, long_compare, NULL, (enum weft_impl)_i),
        WEFT_OK);
    /* The only one there: with another, a push might go over its head. */
    ck_assert_int_eq(weft_heap_push(scene.heap, &first), WEFT_OK);
    scene.looked_at = &first;
    atomic_store_explicit(&scene.armed, true, memory_order_release);
    ck_assert_int_eq(pthread_create(&pusher, NULL, push_behind, &new), 0);
    while (!atomic_load_explicit(&scene.inside, memory_order_acquire))
        sched_yield();
    atomic_store_explicit(&scene.popping, true, memory_order_release);
    ck_assert_ptr_eq(pop_thing(scene.heap), &first);
    atomic_store_explicit(&scene.returned, true, memory_order_release);
    pthread_join(pusher, &bad);
    ck_assert_ptr_null(bad);
    ck_assert_uint_eq(scene.wrong, 0);
    ck_assert_ptr_eq(pop_thing(scene.heap), &new);
    weft_heap_destroy(scene.heap);
}
END_TEST

/* While one compares, others push and pop other items. */
START_TEST(test_a_compare_holds_up_no_other_item)
{
    struct thing low = {.key = 0};
    struct thing first = {.key = 1};
    struct thing new = {.key = 3};
    pthread_t pusher;
    void *bad;

    ck_assert_int_eq(
        weft_heap_create(&scene.heap, long_compare, NULL, (enum weft_impl)_i),
        WEFT_OK);
    ck_assert_int_eq(weft_heap_push(scene.heap, &first), WEFT_OK);
    scene.looked_at = &first;
    atomic_store_explicit(&scene.armed, true, memory_order_release);
    ck_assert_int_eq(pthread_create(&pusher, NULL, push_behind, &new), 0);
    while (!atomic_load_explicit(&scene.inside, memory_order_acquire))
        sched_yield();
    /* The pusher waits for us: were one of these held up, this would hang. */
    scene.looked_at = NULL;
    for (int k = 0; k < 100; k++) {
        ck_assert_int_eq(weft_heap_push(scene.heap, &low), WEFT_OK);
        ck_assert_ptr_eq(pop_thing(scene.heap), &low);
    }
    atomic_store_explicit(&scene.popping, true, memory_order_release);
    pthread_join(pusher, &bad);
    ck_assert_ptr_null(bad);
    weft_heap_destroy(scene.heap);
}
END_TEST

START_TEST(test_a_pop_that_is_counted_before_its_push_takes_nothing_off)
{
    weft_heap *h = NULL;

    ck_assert_int_eq(try_heap(&h, _i), WEFT_OK);
    weft_counter_add(h->items, -1);
    ck_assert_uint_eq(weft_heap_size(h), 0);
    weft_counter_add(h->items, 1);
    ck_assert_uint_eq(weft_heap_size(h), 0);
    weft_heap_destroy(h);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_equal_ones_keep_their_order_when_the_numbers_wrap, 1},
        {&test_the_array_shrinks_as_it_drains, 1},
        {&test_nodes_go_back_as_it_drains, WEFT_MUTEX * 2},
        {&test_nodes_are_used_again, WEFT_MUTEX * 2},
        {&test_a_node_that_is_still_being_linked_stays, WEFT_MUTEX * 2},
        {&test_every_level_leads_forward_only, WEFT_MUTEX * 2},
        {&test_the_same_after_many_threads, WEFT_MUTEX * 2},
        {&test_pop_returns_when_nobody_compares_with_its_item, WEFT_MUTEX},
        {&test_a_compare_holds_up_no_other_item, WEFT_MUTEX},
        {&test_a_pop_that_is_counted_before_its_push_takes_nothing_off,
         WEFT_MUTEX * 2},
    };

    return run_tests("heap_inside", tests, sizeof(tests) / sizeof(tests[0]),
                     60);
}
