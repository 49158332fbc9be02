/* SPDX-License-Identifier: MIT */
/*
 * test_contract_queues.c - all bounded queues, in all forms, are the same queue.
 *
 * Each is driven through a long random sequence of calls beside a model that is
 * an array, and every status, item and size must be the model's.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <weft/ring.h>
#include <weft/spsc.h>

#include "testing.h"

#define CAPACITY_MOST 17
#define BATCH_MOST    (CAPACITY_MOST + 3)
#define STEPS         6000 /* for each capacity: 102000 for each form */

/* The calls with the queue as void *. */
struct calls {
    enum weft_status (*create)(void **out, size_t capacity,
                               enum weft_impl impl);
    void (*destroy)(void *q);
    enum weft_status (*push)(void *q, void *item);
    enum weft_status (*pop)(void *q, void **item);
    size_t (*push_n)(void *q, void *const *items, size_t n);
    size_t (*pop_n)(void *q, void **items, size_t n);
    size_t (*size)(const void *q);
    size_t (*capacity)(const void *q);
};

struct queue {
    const char *name;
    const struct calls *calls;
    enum weft_impl impl;
};

static enum weft_status
ring_create(void **out, size_t capacity, enum weft_impl impl)
{
    weft_ring *q = NULL;
    const enum weft_status s = weft_ring_create(&q, capacity, impl);

    *out = q;
    return s;
}

static void
ring_destroy(void *q)
{
    weft_ring_destroy(q);
}

static enum weft_status
ring_push(void *q, void *item)
{
    return weft_ring_push(q, item);
}

static enum weft_status
ring_pop(void *q, void **item)
{
    return weft_ring_pop(q, item);
}

static size_t
ring_push_n(void *q, void *const *items, size_t n)
{
    return weft_ring_push_n(q, items, n);
}

static size_t
ring_pop_n(void *q, void **items, size_t n)
{
    return weft_ring_pop_n(q, items, n);
}

static size_t
ring_size(const void *q)
{
    return weft_ring_size(q);
}

static size_t
ring_capacity(const void *q)
{
    return weft_ring_capacity(q);
}

static enum weft_status
spsc_create(void **out, size_t capacity, enum weft_impl impl)
{
    weft_spsc *q = NULL;
    const enum weft_status s = weft_spsc_create(&q, capacity, impl);

    *out = q;
    return s;
}

static void
spsc_destroy(void *q)
{
    weft_spsc_destroy(q);
}

static enum weft_status
spsc_push(void *q, void *item)
{
    return weft_spsc_push(q, item);
}

static enum weft_status
spsc_pop(void *q, void **item)
{
    return weft_spsc_pop(q, item);
}

static size_t
spsc_push_n(void *q, void *const *items, size_t n)
{
    return weft_spsc_push_n(q, items, n);
}

static size_t
spsc_pop_n(void *q, void **items, size_t n)
{
    return weft_spsc_pop_n(q, items, n);
}

static size_t
spsc_size(const void *q)
{
    return weft_spsc_size(q);
}

static size_t
spsc_capacity(const void *q)
{
    return weft_spsc_capacity(q);
}

static const struct calls ring_calls = {
    ring_create, ring_destroy, ring_push, ring_pop,
    ring_push_n, ring_pop_n,   ring_size, ring_capacity,
};

static const struct calls spsc_calls = {
    spsc_create, spsc_destroy, spsc_push, spsc_pop,
    spsc_push_n, spsc_pop_n,   spsc_size, spsc_capacity,
};

static const struct queue queues[] = {
    {"ring, lockfree", &ring_calls, WEFT_LOCKFREE},
    {"ring, lockless", &ring_calls, WEFT_LOCKLESS},
    {"ring, mutex", &ring_calls, WEFT_MUTEX},
    {"spsc, lockfree", &spsc_calls, WEFT_LOCKFREE},
    {"spsc, lockless", &spsc_calls, WEFT_LOCKLESS},
    {"spsc, mutex", &spsc_calls, WEFT_MUTEX},
};
#define QUEUES ((int)(sizeof(queues) / sizeof(queues[0])))

/* What a queue is. */
struct model {
    size_t capacity;
    size_t count;
    void *items[CAPACITY_MOST]; /* oldest first */
};

static size_t
model_push(struct model *m, void *const *items, size_t n)
{
    const size_t room = m->capacity - m->count;
    const size_t done = n < room ? n : room;

    memcpy(&m->items[m->count], items, done * sizeof(items[0]));
    m->count += done;
    return done;
}

static size_t
model_pop(struct model *m, void **items, size_t n)
{
    const size_t done = n < m->count ? n : m->count;

    memcpy(items, m->items, done * sizeof(items[0]));
    m->count -= done;
    memmove(m->items, &m->items[done], m->count * sizeof(items[0]));
    return done;
}

struct run {
    const struct queue *queue;
    void *q; /* the real one */
    struct model model;
    uint64_t random; /* xorshift64, Marsaglia 2003; never 0 */
    uintptr_t next;  /* item; 0 at times, which is NULL */
    unsigned step;

    /* How often each thing happened, so that none is missing. */
    unsigned full;
    unsigned empty;
    unsigned cut_push; /* some of push_n fitted */
    unsigned cut_pop;
};

/* Not ck_assert: it writes to a file each time that all is well. */
#define FORMAT   "%s, capacity %zu, step %u"
#define WHERE(r) (r)->queue->name, (r)->model.capacity, (r)->step

static uint32_t
below(struct run *r, uint32_t n)
{
    r->random ^= r->random << 13;
    r->random ^= r->random >> 7;
    r->random ^= r->random << 17;
    return (uint32_t)((r->random >> 32) % n);
}

static void *
new_item(struct run *r)
{
    return below(r, 8) == 0 ? NULL : (void *)++r->next;
}

static void
step_push(struct run *r)
{
    void *item = new_item(r);
    const bool fits = model_push(&r->model, &item, 1) == 1;
    const enum weft_status s = r->queue->calls->push(r->q, item);

    if (s != (fits ? WEFT_OK : WEFT_FULL))
        ck_abort_msg(FORMAT ": push gave %s", WHERE(r), weft_status_name(s));
    r->full += !fits;
}

static void
step_pop(struct run *r)
{
    void *expected = r; /* an address that is no item */
    void *item = r;
    const bool some = model_pop(&r->model, &expected, 1) == 1;
    const enum weft_status s = r->queue->calls->pop(r->q, &item);

    if (s != (some ? WEFT_OK : WEFT_EMPTY))
        ck_abort_msg(FORMAT ": pop gave %s", WHERE(r), weft_status_name(s));
    if (item != expected)
        ck_abort_msg(FORMAT ": pop gave item %p, not %p", WHERE(r), item,
                     expected);
    r->empty += !some;
}

static void
step_push_n(struct run *r)
{
    void *items[BATCH_MOST];
    const size_t n = below(r, (uint32_t)r->model.capacity + 4);

    for (size_t i = 0; i < n; i++)
        items[i] = new_item(r);
    const size_t expected = model_push(&r->model, items, n);
    const size_t done = r->queue->calls->push_n(r->q, items, n);
    if (done != expected)
        ck_abort_msg(FORMAT ": push_n of %zu gave %zu, not %zu", WHERE(r), n,
                     done, expected);
    r->cut_push += done > 0 && done < n;
}

static void
step_pop_n(struct run *r)
{
    void *expected[BATCH_MOST];
    void *items[BATCH_MOST];
    const size_t n = below(r, (uint32_t)r->model.capacity + 4);

    for (size_t i = 0; i < BATCH_MOST; i++)
        items[i] = expected[i] = r; /* must stay where nothing is stored */
    const size_t wanted = model_pop(&r->model, expected, n);
    const size_t done = r->queue->calls->pop_n(r->q, items, n);
    if (done != wanted)
        ck_abort_msg(FORMAT ": pop_n of %zu gave %zu, not %zu", WHERE(r), n,
                     done, wanted);
    for (size_t i = 0; i < BATCH_MOST; i++)
        if (items[i] != expected[i])
            ck_abort_msg(FORMAT ": pop_n of %zu gave %p in place %zu, not %p",
                         WHERE(r), n, items[i], i, expected[i]);
    r->cut_pop += done > 0 && done < n;
}

static void
step(struct run *r)
{
    /* The tide turns every 64 steps, so that both ends are met. */
    const bool rising = r->step / 64 % 2 == 0;
    const uint32_t draw = below(r, 10);

    if (draw == 0)
        step_push_n(r);
    else if (draw == 1)
        step_pop_n(r);
    else if ((draw < 8) == rising)
        step_push(r);
    else
        step_pop(r);
    const size_t size = r->queue->calls->size(r->q);
    if (size != r->model.count)
        ck_abort_msg(FORMAT ": size is %zu, not %zu", WHERE(r), size,
                     r->model.count);
}

START_TEST(test_random_calls_do_what_an_array_does)
{
    const struct queue *queue = &queues[_i];

    for (size_t capacity = 1; capacity <= CAPACITY_MOST; capacity++) {
        struct run r = {.queue = queue,
                        .model = {.capacity = capacity},
                        .random = UINT64_C(0x9e3779b97f4a7c15) * capacity};

        ck_assert_int_eq(queue->calls->create(&r.q, capacity, queue->impl),
                         WEFT_OK);
        ck_assert_uint_eq(queue->calls->capacity(r.q), capacity);
        for (; r.step < STEPS; r.step++)
            step(&r);
        while (r.model.count > 0)
            step_pop(&r);
        step_pop(&r); /* EMPTY */
        queue->calls->destroy(r.q);

        ck_assert_msg(r.full > 0 && r.empty > 1, FORMAT ": no end was met",
                      WHERE(&r));
        ck_assert_msg(capacity == 1 || (r.cut_push > 0 && r.cut_pop > 0),
                      FORMAT ": no batch was cut", WHERE(&r));
    }
}
END_TEST

/* Each cell in turn is the first, at every filling. */
START_TEST(test_order_holds_across_every_wrap)
{
    const struct queue *queue = &queues[_i];

    for (size_t capacity = 1; capacity <= CAPACITY_MOST; capacity++) {
        struct run r = {
            .queue = queue, .model = {.capacity = capacity}, .random = 1};

        ck_assert_int_eq(queue->calls->create(&r.q, capacity, queue->impl),
                         WEFT_OK);
        for (size_t fill = 0; fill <= capacity; fill++) {
            while (r.model.count < fill)
                step_push(&r);
            for (size_t lap = 0; lap < 3 * capacity; lap++, r.step++) {
                if (fill == capacity) {
                    step_push(&r); /* FULL */
                    step_pop(&r);
                    step_push(&r);
                } else {
                    step_push(&r);
                    step_pop(&r);
                }
            }
        }
        queue->calls->destroy(r.q);
        ck_assert_uint_eq(r.full, 3 * capacity);
    }
}
END_TEST

START_TEST(test_wrong_arguments_create_nothing)
{
    const struct queue *queue = &queues[_i];
    void *q = NULL;

    ck_assert_int_eq(queue->calls->create(&q, 0, queue->impl), WEFT_INVALID);
    ck_assert_ptr_null(q);
    ck_assert_int_eq(queue->calls->create(&q, 1, (enum weft_impl)77),
                     WEFT_INVALID);
    ck_assert_ptr_null(q);
    ck_assert_int_eq(queue->calls->create(&q, SIZE_MAX, queue->impl),
                     WEFT_NO_MEMORY);
    ck_assert_ptr_null(q);
    queue->calls->destroy(NULL);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_random_calls_do_what_an_array_does, QUEUES},
        {&test_order_holds_across_every_wrap, QUEUES},
        {&test_wrong_arguments_create_nothing, QUEUES},
    };

    return run_tests("contract of queues", tests,
                     sizeof(tests) / sizeof(tests[0]), 60);
}
