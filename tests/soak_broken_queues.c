/* SPDX-License-Identifier: MIT */
/*
 * soak_broken_queues.c - queues that are right but for one call.
 */
#include <pthread.h>
#include <unistd.h>

#include "soak/containers_queue.h"
#include "soak_broken_queues.h"

#define SELDOM 200

extern const struct soak_subject soak_queue_fifo_mutex_bounded;

/* The right one. */
static const struct soak_queue_ops *
real(void)
{
    return soak_queue_fifo_mutex_bounded.ops;
}

static bool
now(void)
{
    static _Atomic unsigned calls;

    return atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed) %
               SELDOM ==
           SELDOM - 1;
}

static enum weft_status
close_nothing(void *c, enum weft_close how)
{
    (void)c;
    (void)how;
    return WEFT_OK;
}

static void
forget(void *item, void *ctx)
{
    (void)item;
    (void)ctx;
}

static enum weft_status
close_and_forget(void *c, enum weft_close how)
{
    soak_drop = forget;
    return real()->close(c, how);
}

static enum weft_status
always_discard(void *c, enum weft_close how)
{
    (void)how;
    return real()->close(c, WEFT_DISCARD);
}

/* Takes what comes too late, and loses it. */
static enum weft_status
push_when_closed(void *c, void *item)
{
    const enum weft_status status = real()->container.push(c, item);

    return status == WEFT_CLOSED ? WEFT_OK : status;
}

static enum weft_status
pop_undone(void *c, void **item)
{
    return weft_queue_get(c, item,
                          soak_waits_for_ever ? WEFT_FOREVER : WEFT_NOW);
}

static enum weft_status
pop_closed(void *c, void **item)
{
    return now() ? WEFT_CLOSED : real()->container.pop(c, item);
}

/* Does not hear of the close. */
static enum weft_status
pop_deaf(void *c, void **item)
{
    const enum weft_status status = real()->container.pop(c, item);

    while (soak_waits_for_ever && status == WEFT_CLOSED)
        usleep(1000);
    return status;
}

static enum weft_status
pop_without_patience(void *c, void **item)
{
    return soak_waits_for_ever && now() ? WEFT_EMPTY
                                        : real()->container.pop(c, item);
}

/* Who is cancelled takes an item along. */
static void
take_along(void *c)
{
    void *item;

    (void)!weft_queue_get(c, &item, WEFT_NOW);
    (void)!weft_queue_task_done(c);
}

static enum weft_status
pop_and_take_along(void *c, void **item)
{
    enum weft_status status;

    pthread_cleanup_push(take_along, c);
    status = real()->container.pop(c, item);
    pthread_cleanup_pop(0);
    return status;
}

static enum weft_status
wait_wrongly(void *c, weft_deadline deadline)
{
    return now() ? WEFT_EMPTY : real()->wait_any(c, deadline);
}

static enum weft_status
wait_too_short(void *c, weft_deadline deadline)
{
    (void)deadline;
    return real()->join(c, WEFT_NOW);
}

struct soak_queue_ops queue_stays_open;
struct soak_queue_ops queue_forgets_dropped;
struct soak_queue_ops queue_drains_nothing;
struct soak_queue_ops queue_takes_when_closed;
struct soak_queue_ops queue_never_done;
struct soak_queue_ops queue_says_closed;
struct soak_queue_ops queue_is_deaf;
struct soak_queue_ops queue_has_no_patience;
struct soak_queue_ops queue_loses_with_the_cancelled;
struct soak_queue_ops queue_waits_wrongly;
struct soak_queue_ops queue_waits_too_short;

void
make_broken_queues(void)
{
    queue_stays_open = *real();
    queue_stays_open.close = close_nothing;
    queue_forgets_dropped = *real();
    queue_forgets_dropped.close = close_and_forget;
    queue_drains_nothing = *real();
    queue_drains_nothing.close = always_discard;
    queue_takes_when_closed = *real();
    queue_takes_when_closed.container.push = push_when_closed;
    queue_never_done = *real();
    queue_never_done.container.pop = pop_undone;
    queue_says_closed = *real();
    queue_says_closed.container.pop = pop_closed;
    queue_is_deaf = *real();
    queue_is_deaf.container.pop = pop_deaf;
    queue_has_no_patience = *real();
    queue_has_no_patience.container.pop = pop_without_patience;
    queue_loses_with_the_cancelled = *real();
    queue_loses_with_the_cancelled.container.pop = pop_and_take_along;
    queue_waits_wrongly = *real();
    queue_waits_wrongly.wait_any = wait_wrongly;
    queue_waits_too_short = *real();
    queue_waits_too_short.join = wait_too_short;
}
