/* SPDX-License-Identifier: MIT */
/*
 * queue_loops.h - the measured loops, written once, compiled for each variant.
 *
 * A variant hands its operations over as constants; all functions here are
 * always inlined, so that each variant's `work` is loops with direct calls:
 *
 *       static void
 *       work(struct queue_hand *h)
 *       {
 *           static const struct queue_ops ops = {push, pop, NULL, NULL};
 *           queue_work(h, &ops);
 *       }
 *
 * What the loop itself costs beside an operation: the stop flag, a line that
 * nobody writes, is looked at once in QUEUE_ROUND pushes; an item is an
 * addition; a consumer adds up what it gets and compares it with the last one
 * of the same producer, in a register if there is one producer.
 */
#ifndef STRESS_BENCH_QUEUE_LOOPS_H
#define STRESS_BENCH_QUEUE_LOOPS_H

#include "bench/queue.h"
#include "bench/ticks.h"

#define QUEUE_ROUND  64 /* pushes between two looks at the stop flag */
#define QUEUE_SAMPLE 8  /* one operation in so many is timed */
#define QUEUE_INLINE static inline __attribute__((always_inline))

struct queue_ops {
    /* True: it happened. */
    bool (*push)(struct queue_hand *h, void *queue, void *item);
    bool (*pop)(struct queue_hand *h, void *queue, void **item);
    /* How many; NULL: one cannot. */
    size_t (*push_n)(struct queue_hand *h, void *queue, void *const *items,
                     size_t n);
    size_t (*pop_n)(struct queue_hand *h, void *queue, void **items, size_t n);
};

/* What a consumer got, in registers. */
struct queue_got {
    uint64_t count;
    uint64_t sum;
    uint64_t disorder;
    uint64_t last; /* of the only producer */
};

QUEUE_INLINE void *
queue_item(uint64_t value)
{
    return (void *)(uintptr_t)value;
}

QUEUE_INLINE void
queue_take(struct queue_hand *h, struct queue_got *got, void *item, bool one)
{
    const uint64_t value = (uint64_t)(uintptr_t)item;

    got->count++;
    got->sum += value;
    if (one) {
        got->disorder += value <= got->last;
        got->last = value;
        return;
    }
    /* An item from nowhere is out of order, and its sum will not fit. */
    const uint64_t producer = (value >> QUEUE_NUMBER_BITS) - 1;
    if (producer >= h->run->load->producers) {
        got->disorder++;
        return;
    }
    got->disorder += value <= h->last[producer];
    h->last[producer] = value;
}

QUEUE_INLINE void
queue_keep(struct queue_hand *h, const struct queue_got *got)
{
    h->popped = got->count;
    h->popped_sum = got->sum;
    h->disorder = got->disorder;
}

/* Items first + 1 to first + n, as they were pushed. */
QUEUE_INLINE void
queue_keep_pushed(struct queue_hand *h, uint64_t n)
{
    h->pushed = n;
    h->pushed_sum = n * queue_first_item(h->index) + n * (n + 1) / 2;
}

QUEUE_INLINE bool
queue_push(struct queue_hand *h, const struct queue_ops *ops, void *queue,
           uint64_t value, bool timed)
{
    if (!timed || value % QUEUE_SAMPLE != 0)
        return ops->push(h, queue, queue_item(value));
    const int64_t begin = ticks_now();
    const bool done = ops->push(h, queue, queue_item(value));
    const int64_t took = ticks_now() - begin;
    if (done)
        histogram_record(h->times, took);
    return done;
}

QUEUE_INLINE bool
queue_pop(struct queue_hand *h, const struct queue_ops *ops, void *queue,
          void **item, uint64_t number, bool timed)
{
    if (!timed || number % QUEUE_SAMPLE != 0)
        return ops->pop(h, queue, item);
    const int64_t begin = ticks_now();
    const bool done = ops->pop(h, queue, item);
    const int64_t took = ticks_now() - begin;
    if (done)
        histogram_record(h->times, took);
    return done;
}

QUEUE_INLINE void
queue_produce(struct queue_hand *h, const struct queue_ops *ops, bool timed)
{
    void *const queue = h->queue;
    const uint64_t first = queue_first_item(h->index);
    uint64_t value = first;

    do {
        const uint64_t until = value + QUEUE_ROUND;
        while (value != until) {
            unsigned tries = 0;
            while (!queue_push(h, ops, queue, value + 1, timed)) {
                tries = queue_wait(h, tries);
                if (tries == 0)
                    goto lost;
            }
            value++;
        }
    } while (!worker_is_stopped(h->worker));
lost:
    queue_keep_pushed(h, value - first);
    queue_produced(h);
}

QUEUE_INLINE void
queue_consume(struct queue_hand *h, const struct queue_ops *ops, bool one,
              bool timed)
{
    void *const queue = h->queue;
    struct queue_got got = {0};
    unsigned tries = 0;
    bool dry = false;
    void *item = NULL;

    /* Once nobody pushes, one more look must find the queue empty. */
    for (;;) {
        if (queue_pop(h, ops, queue, &item, got.count, timed)) {
            queue_take(h, &got, item, one);
            tries = 0;
            continue;
        }
        if (dry)
            break;
        dry = queue_is_dry(h);
        if (!dry)
            tries = queue_wait(h, tries);
    }
    queue_keep(h, &got);
}

QUEUE_INLINE void
queue_produce_bulk(struct queue_hand *h, const struct queue_ops *ops)
{
    void *const queue = h->queue;
    const uint64_t first = queue_first_item(h->index);
    void *items[QUEUE_BULK];
    uint64_t n = 0;

    do {
        for (size_t i = 0; i < QUEUE_BULK; i++)
            items[i] = queue_item(first + n + 1 + i);
        size_t done = 0;
        unsigned tries = 0;
        for (;;) {
            const size_t k =
                ops->push_n(h, queue, items + done, QUEUE_BULK - done);
            done += k;
            n += k;
            if (done == QUEUE_BULK)
                break;
            if (k > 0)
                tries = 0;
            else if ((tries = queue_wait(h, tries)) == 0)
                goto lost;
        }
    } while (!worker_is_stopped(h->worker));
lost:
    queue_keep_pushed(h, n);
    queue_produced(h);
}

QUEUE_INLINE void
queue_consume_bulk(struct queue_hand *h, const struct queue_ops *ops, bool one)
{
    void *const queue = h->queue;
    struct queue_got got = {0};
    unsigned tries = 0;
    bool dry = false;
    void *items[QUEUE_BULK];

    for (;;) {
        const size_t k = ops->pop_n(h, queue, items, QUEUE_BULK);
        for (size_t i = 0; i < k; i++)
            queue_take(h, &got, items[i], one);
        if (k > 0) {
            tries = 0;
            continue;
        }
        if (dry)
            break;
        dry = queue_is_dry(h);
        if (!dry)
            tries = queue_wait(h, tries);
    }
    queue_keep(h, &got);
}

/* Push until it is done; false: given up. */
QUEUE_INLINE bool
queue_must_push(struct queue_hand *h, const struct queue_ops *ops, void *queue,
                void *item)
{
    unsigned tries = 0;

    while (!ops->push(h, queue, item)) {
        tries = queue_wait(h, tries);
        if (tries == 0)
            return false;
    }
    return true;
}

QUEUE_INLINE bool
queue_must_pop(struct queue_hand *h, const struct queue_ops *ops, void *queue,
               void **item)
{
    unsigned tries = 0;

    while (!ops->pop(h, queue, item)) {
        tries = queue_wait(h, tries);
        if (tries == 0)
            return false;
    }
    return true;
}

QUEUE_INLINE void
queue_push_pop(struct queue_hand *h, const struct queue_ops *ops, bool one)
{
    void *const queue = h->queue;
    const uint64_t first = queue_first_item(h->index);
    struct queue_got got = {0};
    uint64_t value = first;
    void *item = NULL;

    do {
        const uint64_t until = value + QUEUE_ROUND;
        while (value != until) {
            if (!queue_must_push(h, ops, queue, queue_item(value + 1)))
                goto lost;
            value++;
            if (!queue_must_pop(h, ops, queue, &item))
                goto lost;
            queue_take(h, &got, item, one);
        }
    } while (!worker_is_stopped(h->worker));
lost:
    queue_keep_pushed(h, value - first);
    queue_keep(h, &got);
    queue_produced(h);
}

/* Send an item on its way and wait until it is back. */
QUEUE_INLINE bool
queue_trip(struct queue_hand *h, const struct queue_ops *ops,
           struct queue_got *got, uint64_t value)
{
    void *item = NULL;

    if (!queue_must_push(h, ops, h->queue, queue_item(value)) ||
        !queue_must_pop(h, ops, h->back, &item))
        return false;
    queue_take(h, got, item, true);
    return true;
}

QUEUE_INLINE void
queue_ask(struct queue_hand *h, const struct queue_ops *ops)
{
    const uint64_t first = queue_first_item(0);
    struct queue_got got = {0};
    uint64_t n = 0;

    do {
        n++;
        if (!queue_trip(h, ops, &got, first + n))
            break;
    } while (!worker_is_stopped(h->worker));
    queue_keep_pushed(h, n);
    queue_keep(h, &got);
    (void)queue_must_push(h, ops, h->queue, QUEUE_LAST_ITEM);
}

QUEUE_INLINE void
queue_answer(struct queue_hand *h, const struct queue_ops *ops)
{
    void *item = NULL;

    while (queue_must_pop(h, ops, h->queue, &item) && item != QUEUE_LAST_ITEM)
        if (!queue_must_push(h, ops, h->back, item))
            return;
}

/* Pop an item that comes late. */
QUEUE_INLINE void
queue_doze(struct queue_hand *h, const struct queue_ops *ops)
{
    struct queue_got got = {0};
    const int64_t begin_ns = queue_cpu_ns();
    void *item = NULL;

    if (queue_must_pop(h, ops, h->queue, &item))
        queue_take(h, &got, item, true);
    h->cpu_ns = queue_cpu_ns() - begin_ns;
    queue_keep(h, &got);
}

/* Push one when the time is over. */
QUEUE_INLINE void
queue_ring(struct queue_hand *h, const struct queue_ops *ops)
{
    queue_await_end(h);
    if (queue_must_push(h, ops, h->queue, queue_item(queue_first_item(0) + 1)))
        queue_keep_pushed(h, 1);
    queue_produced(h);
}

/* With one producer, or in a timed run or not: each a loop of its own. */
QUEUE_INLINE void
queue_consume_any(struct queue_hand *h, const struct queue_ops *ops)
{
    const bool one = h->run->load->producers == 1;

    if (h->times != NULL)
        queue_consume(h, ops, false, true);
    else if (one)
        queue_consume(h, ops, true, false);
    else
        queue_consume(h, ops, false, false);
}

/* Do the job of `h` with the constant operations `ops`. */
QUEUE_INLINE void
queue_work(struct queue_hand *h, const struct queue_ops *ops)
{
    const bool one = h->run->load->producers == 1;

    switch (h->job) {
    case QUEUE_PRODUCE:
        if (h->times != NULL)
            queue_produce(h, ops, true);
        else
            queue_produce(h, ops, false);
        break;
    case QUEUE_CONSUME:
        queue_consume_any(h, ops);
        break;
    case QUEUE_PRODUCE_BULK:
        if (ops->push_n != NULL)
            queue_produce_bulk(h, ops);
        break;
    case QUEUE_CONSUME_BULK:
        if (ops->pop_n == NULL)
            break;
        if (one)
            queue_consume_bulk(h, ops, true);
        else
            queue_consume_bulk(h, ops, false);
        break;
    case QUEUE_PUSH_POP:
        if (one)
            queue_push_pop(h, ops, true);
        else
            queue_push_pop(h, ops, false);
        break;
    case QUEUE_ASK:
        queue_ask(h, ops);
        break;
    case QUEUE_ANSWER:
        queue_answer(h, ops);
        break;
    case QUEUE_DOZE:
        queue_doze(h, ops);
        break;
    case QUEUE_RING:
        queue_ring(h, ops);
        break;
    }
}

#endif /* STRESS_BENCH_QUEUE_LOOPS_H */
