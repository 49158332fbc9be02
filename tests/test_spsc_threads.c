/* SPDX-License-Identifier: MIT */
/*
 * The contract of weft_spsc between threads; _i is the form, unless said.
 */
#include <weft/spsc.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "testing.h"

#define IMPLS (WEFT_MUTEX + 1)
#define BULK  20 /* the most items a call */

static weft_spsc *
make(size_t capacity, int impl)
{
    weft_spsc *r;

    ck_assert_int_eq(weft_spsc_create(&r, capacity, (enum weft_impl)impl),
                     WEFT_OK);
    return r;
}

static void *
item(uint64_t number)
{
    return (void *)(uintptr_t)number;
}

static void
check_empty(weft_spsc *r)
{
    void *got;

    ck_assert_int_eq(weft_spsc_pop(r, &got), WEFT_EMPTY);
    ck_assert_uint_eq(weft_spsc_size(r), 0);
}

static weft_spsc *under_test;
static uint64_t total;       /* items to pass */
static size_t chunk;         /* items a call; 1: the single calls */
static _Atomic uint64_t sum; /* of what the consumer got */
static _Atomic bool ordered = true;
static _Atomic bool running;

/* Nothing moved: look again for a while, then let the other thread run. */
static void
wait_a_little(unsigned *times)
{
    if (++*times % 256 == 0)
        sched_yield();
}

/* Push `n` items, waiting for room. */
static void
push_all(void **items, size_t n)
{
    size_t done = 0;
    unsigned waited = 0;

    while (done < n) {
        size_t now = n == 1
                         ? weft_spsc_push(under_test, items[0]) == WEFT_OK
                         : weft_spsc_push_n(under_test, items + done, n - done);
        done += now;
        if (now == 0)
            wait_a_little(&waited);
    }
}

static void *
produce(void *arg)
{
    void *items[BULK];

    (void)arg;
    for (uint64_t next = 1; next <= total; next += chunk) {
        for (size_t i = 0; i < chunk; i++)
            items[i] = item(next + i);
        push_all(items, chunk);
    }
    return NULL;
}

static void *
consume(void *arg)
{
    void *items[BULK];
    uint64_t expected = 1;
    uint64_t got = 0;
    unsigned waited = 0;

    (void)arg;
    while (expected <= total) {
        size_t now = chunk == 1
                         ? weft_spsc_pop(under_test, &items[0]) == WEFT_OK
                         : weft_spsc_pop_n(under_test, items, chunk);
        for (size_t i = 0; i < now; i++, expected++) {
            if (items[i] != item(expected))
                atomic_store_explicit(&ordered, false, memory_order_relaxed);
            got += (uint64_t)(uintptr_t)items[i];
        }
        if (now == 0)
            wait_a_little(&waited);
    }
    atomic_store_explicit(&sum, got, memory_order_relaxed);
    return NULL;
}

static void *
watch_size(void *arg)
{
    const size_t capacity = weft_spsc_capacity(under_test);
    size_t worst = 0;

    (void)arg;
    while (atomic_load_explicit(&running, memory_order_relaxed)) {
        const size_t size = weft_spsc_size(under_test);
        if (size > worst)
            worst = size;
        sched_yield();
    }
    ck_assert_uint_le(worst, capacity);
    return NULL;
}

/* _i: the variant, then the items a call, then the capacity */
START_TEST(test_items_pass_between_two_threads_in_order)
{
    static const size_t chunks[] = {1, 3, 20};
    static const struct {
        size_t capacity;
        uint64_t items; /* a multiple of each chunk */
    } sizes[] = {{1, 1200}, {7, 12000}, {64, 120000}, {1000, 1200000}};
    pthread_t thread[3];

    chunk = chunks[_i / IMPLS % 3];
    total = sizes[_i / IMPLS / 3].items;
    under_test = make(sizes[_i / IMPLS / 3].capacity, _i % IMPLS);
    atomic_store_explicit(&running, true, memory_order_relaxed);
    ck_assert_int_eq(pthread_create(&thread[0], NULL, produce, NULL), 0);
    ck_assert_int_eq(pthread_create(&thread[1], NULL, consume, NULL), 0);
    ck_assert_int_eq(pthread_create(&thread[2], NULL, watch_size, NULL), 0);
    pthread_join(thread[0], NULL);
    pthread_join(thread[1], NULL);
    atomic_store_explicit(&running, false, memory_order_relaxed);
    pthread_join(thread[2], NULL);

    ck_assert(atomic_load_explicit(&ordered, memory_order_relaxed));
    ck_assert_uint_eq(atomic_load_explicit(&sum, memory_order_relaxed),
                      total * (total + 1) / 2);
    check_empty(under_test);
    weft_spsc_destroy(under_test);
}
END_TEST

/*
 * What lies before a push is there after the pop of its item, and what lies
 * before a pop is there after the push that takes its place: plain memory that
 * only this order makes safe.
 */

#define PAYLOADS 3000
#define PLACES   7

static uint64_t payload[PAYLOADS]; /* the producer's until it is pushed */
static uint64_t receipt[PAYLOADS]; /* the consumer's until it has popped */

static void *
pop_and_read_payload(void *arg)
{
    bool *right = arg;
    unsigned waited = 0;

    for (uint64_t i = 0; i < PAYLOADS; i++) {
        void *got;
        receipt[i] = ~i;
        while (weft_spsc_pop(under_test, &got) != WEFT_OK)
            wait_a_little(&waited);
        const uint64_t *p = got;
        if (p != &payload[i] || *p != i * i)
            *right = false;
    }
    return NULL;
}

START_TEST(test_push_and_pop_order_what_lies_before_them)
{
    pthread_t consumer;
    uint64_t wrong = 0;
    unsigned waited = 0;
    bool right = true;

    under_test = make(PLACES, _i);
    ck_assert_int_eq(
        pthread_create(&consumer, NULL, pop_and_read_payload, &right), 0);
    for (uint64_t i = 0; i < PAYLOADS; i++) {
        payload[i] = i * i;
        while (weft_spsc_push(under_test, &payload[i]) != WEFT_OK)
            wait_a_little(&waited);
        if (i >= PLACES)
            wrong += receipt[i - PLACES] != ~(i - PLACES);
    }
    pthread_join(consumer, NULL);
    ck_assert(right);
    ck_assert_uint_eq(wrong, 0);
    weft_spsc_destroy(under_test);
}
END_TEST

/*
 * FULL and EMPTY are exact: an item that is known to be there is found, and
 * room that is known to be there is used.  Each thread tells how far it is.
 */

#define STEPS 7000

static _Atomic uint64_t pushed_count;
static _Atomic uint64_t popped_count;

static void *
pop_what_must_be_there(void *arg)
{
    bool *missed = arg;
    unsigned waited = 0;

    for (uint64_t i = 0; i < STEPS;) {
        /* acquire: told */
        uint64_t there =
            atomic_load_explicit(&pushed_count, memory_order_acquire);
        if (there == i)
            wait_a_little(&waited);
        for (; i < there; i++) {
            void *got;
            if (weft_spsc_pop(under_test, &got) != WEFT_OK) {
                *missed = true;
                return NULL;
            }
            /* release: told */
            atomic_store_explicit(&popped_count, i + 1, memory_order_release);
        }
    }
    return NULL;
}

START_TEST(test_what_is_known_to_be_there_is_found)
{
    pthread_t consumer;
    uint64_t refused = 0;
    unsigned waited = 0;
    bool missed = false;

    under_test = make(PLACES, _i);
    ck_assert_int_eq(
        pthread_create(&consumer, NULL, pop_what_must_be_there, &missed), 0);
    for (uint64_t i = 0; i < STEPS;) {
        /* acquire: told */
        uint64_t gone =
            atomic_load_explicit(&popped_count, memory_order_acquire);
        if (i == gone + PLACES)
            wait_a_little(&waited);
        for (; i < gone + PLACES && i < STEPS; i++) {
            refused += weft_spsc_push(under_test, item(i)) != WEFT_OK;
            /* release: told */
            atomic_store_explicit(&pushed_count, i + 1, memory_order_release);
        }
    }
    pthread_join(consumer, NULL);
    ck_assert(!missed);
    ck_assert_uint_eq(refused, 0);
    weft_spsc_destroy(under_test);
}
END_TEST

static void *
push_ten(void *first)
{
    for (uint64_t i = 0; i < 10; i++)
        if (weft_spsc_push(under_test, item(*(uint64_t *)first + i)) != WEFT_OK)
            return NULL;
    return first;
}

START_TEST(test_another_thread_may_take_a_side_over)
{
    under_test = make(16, _i);
    for (uint64_t round = 0; round < 20; round++) {
        uint64_t first = round * 10;
        pthread_t producer;
        void *done;
        ck_assert_int_eq(pthread_create(&producer, NULL, push_ten, &first), 0);
        pthread_join(producer, &done);
        ck_assert_ptr_eq(done, &first);
        for (uint64_t i = 0; i < 10; i++) {
            void *got;
            ck_assert_int_eq(weft_spsc_pop(under_test, &got), WEFT_OK);
            ck_assert_ptr_eq(got, item(first + i));
        }
    }
    weft_spsc_destroy(under_test);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_items_pass_between_two_threads_in_order, IMPLS * 3 * 4},
        {&test_push_and_pop_order_what_lies_before_them, IMPLS},
        {&test_what_is_known_to_be_there_is_found, IMPLS},
        {&test_another_thread_may_take_a_side_over, IMPLS},
    };

    return run_tests("spsc_threads", tests, sizeof(tests) / sizeof(tests[0]),
                     60);
}
