/* SPDX-License-Identifier: MIT */
/*
 * containers_queue.c - the queue that waits: its orders and forms, with a
 * capacity and without.
 */
#include "soak/containers_queue.h"

#define WAIT_US   300
#define UNBOUNDED 100 /* in a kind; plus 10 times the order, plus the form */

static weft_deadline
draw_deadline(void)
{
    static _Thread_local uint64_t drawn;

    if (soak_waits_for_ever)
        return WEFT_FOREVER;
    drawn = drawn * UINT64_C(6364136223846793005) + 1442695040888963407;
    const unsigned draw = (unsigned)(drawn >> 33) % 1024;
    return draw < 512 ? WEFT_NOW : weft_in_us(draw % WAIT_US);
}

/* What a failed wait is to a container; nothing may end one for ever. */
static enum weft_status
refusal(enum weft_status got, enum weft_status refused, weft_deadline deadline)
{
    if (got == WEFT_TIMEOUT && deadline != WEFT_NOW)
        got = refused;
    return deadline == WEFT_FOREVER && got == refused ? WEFT_TIMEOUT : got;
}

static int64_t
key(const void *item, void *ctx)
{
    (void)ctx;
    return soak_item_key(item);
}

static int
compare(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return (int)soak_item_key(a) - (int)soak_item_key(b);
}

static void
drop(void *item, void *ctx)
{
    (void)ctx;
    soak_drop(item, soak_drop_ctx);
}

static enum weft_status
create(void **out, size_t capacity, int kind)
{
    const bool bounded = kind < UNBOUNDED;
    weft_queue_options options = {
        .order = (enum weft_order)(kind / 10 % 10),
        .impl = (enum weft_impl)(kind % 10),
        .capacity = bounded ? capacity : 0,
        .drop = drop,
    };
    weft_queue *q = NULL;

    /* One of the two, so that both are tried. */
    if (options.order == WEFT_PRIORITY && bounded)
        options.key = key;
    else if (options.order == WEFT_PRIORITY)
        options.compare = compare;
    const enum weft_status status = weft_queue_create(&q, &options);
    *out = q;
    return status;
}

static void
destroy(void *c, void (*drop_one)(void *item, void *ctx), void *ctx)
{
    soak_drop = drop_one;
    soak_drop_ctx = ctx;
    weft_queue_destroy(c);
    soak_drop = NULL;
}

static enum weft_status
push(void *c, void *item)
{
    const weft_deadline deadline = draw_deadline();

    return refusal(weft_queue_put(c, item, deadline), WEFT_FULL, deadline);
}

static enum weft_status
pop(void *c, void **item)
{
    const weft_deadline deadline = draw_deadline();
    const enum weft_status status =
        refusal(weft_queue_get(c, item, deadline), WEFT_EMPTY, deadline);

    if (status == WEFT_OK && weft_queue_task_done(c) != WEFT_OK)
        return WEFT_BROKEN;
    return status;
}

static size_t
push_n(void *c, void *const *items, size_t n)
{
    size_t done = 0;
    const enum weft_status status =
        weft_queue_put_n(c, items, n, draw_deadline(), &done);

    return status == WEFT_OK ? done : 0;
}

static size_t
pop_n(void *c, void **items, size_t n)
{
    void *got[SOAK_BATCH]; /* a get that a discard refuses may write there */
    size_t done = 0;

    if (weft_queue_get_n(c, got, n, draw_deadline(), &done) != WEFT_OK)
        return 0;
    for (size_t i = 0; i < done && i < n; i++)
        items[i] = got[i];
    for (size_t i = 0; i < done; i++)
        if (weft_queue_task_done(c) != WEFT_OK)
            return SIZE_MAX; /* which is more than n */
    return done;
}

static size_t
size(const void *c)
{
    return weft_queue_size(c);
}

static const char *
complaint(const void *c, size_t left, size_t capacity)
{
    if (weft_queue_unfinished(c) != left)
        return "what is unfinished is not what is left";
    if (weft_queue_is_empty(c) != (left == 0))
        return "it does not know whether it is empty";
    if (weft_queue_is_full(c) != (left == capacity && capacity > 0))
        return "it does not know whether it is full";
    return NULL;
}

static enum weft_status
close_queue(void *c, enum weft_close how)
{
    return weft_queue_close(c, how);
}

static bool
is_closed(const void *c)
{
    return weft_queue_is_closed(c);
}

static enum weft_status
join(void *c, weft_deadline deadline)
{
    return weft_queue_join(c, deadline);
}

static enum weft_status
wait_any(void *c, weft_deadline deadline)
{
    weft_queue *const q = c;
    size_t index = 0;

    return weft_queue_wait_any(&q, 1, deadline, &index);
}

#define OPS(order_, kind_, bounded_)                                   \
    {                                                                  \
        .container = {.create = create,                                \
                      .destroy = destroy,                              \
                      .push = push,                                    \
                      .pop = pop,                                      \
                      .push_n = push_n,                                \
                      .pop_n = pop_n,                                  \
                      .size = size,                                    \
                      .complaint = complaint,                          \
                      .opened = soak_queue_opened,                     \
                      .round = soak_queue_round,                       \
                      .bounded = bounded_,                             \
                      .order = order_,                                 \
                      .kind = (kind_) + ((bounded_) ? 0 : UNBOUNDED)}, \
        .close = close_queue, .is_closed = is_closed, .join = join,    \
        .wait_any = wait_any                                           \
    }

/* Each form of an order, bounded and not; `kind`: 10 times the order. */
#define FORM(order, form, promise, kind)                                  \
    static const struct soak_queue_ops order##_##form##_bounded =         \
        OPS(promise, kind, true);                                         \
    static const struct soak_queue_ops order##_##form##_unbounded =       \
        OPS(promise, kind, false);                                        \
    const struct soak_subject soak_queue_##order##_##form##_bounded = {   \
        .name = "queue/" #order "/" #form "/bounded",                     \
        .ops = &order##_##form##_bounded,                                 \
        SOAK_CONTAINER};                                                  \
    const struct soak_subject soak_queue_##order##_##form##_unbounded = { \
        .name = "queue/" #order "/" #form "/unbounded",                   \
        .ops = &order##_##form##_unbounded,                               \
        SOAK_CONTAINER};
#define ORDER(order, promise, kind)                        \
    FORM(order, lockfree, promise, (kind) + WEFT_LOCKFREE) \
    FORM(order, lockless, promise, (kind) + WEFT_LOCKLESS) \
    FORM(order, mutex, promise, (kind) + WEFT_MUTEX)

/* clang-format off */
ORDER(fifo, SOAK_FIFO, 10 * WEFT_FIFO)
ORDER(lifo, SOAK_LIFO, 10 * WEFT_LIFO)
ORDER(priority, SOAK_SORTED, 10 * WEFT_PRIORITY)
/* clang-format on */
