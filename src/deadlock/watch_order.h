/* SPDX-License-Identifier: MIT */
/*
 * deadlock/watch_order.h - what every primitive tells the graph of orders, for
 * deadlocks that could happen.
 *
 *   shape      nothing while there is no graph, but for a load and a branch
 *              behind one that asks whether somebody watches
 *   requires   of all functions: weft_watching_
 *   caveat     who was not started by Weft is a stranger: deadlock/order.h
 */
#ifndef WEFT_DEADLOCK_WATCH_ORDER_H
#define WEFT_DEADLOCK_WATCH_ORDER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/deadline.h>

#include "base/self.h"
#include "deadlock/kind.h"

/* A struct weft_order; NULL: there is none. */
extern void *_Atomic weft_watch_graph_;

static inline void *
weft_watch_graph_now_(void)
{
    return atomic_load_explicit(&weft_watch_graph_, memory_order_relaxed);
}

/*
 * What is found when a thread wants a lock is not said at once: it may be about
 * to happen, and is told as that then.  It is said when the thread has got the
 * lock, tells something else or ends, or has waited for a while in vain.
 */
enum weft_watch_news { WEFT_NO_NEWS, WEFT_NEWS_MAY_COME, WEFT_NEWS };
extern __thread enum weft_watch_news weft_watch_news_
    __attribute__((tls_model("initial-exec"), visibility("hidden")));
extern void (*_Atomic weft_watch_say_)(void); /* say it; NULL: nobody does */
void weft_watch_say_now_(void);

static inline void
weft_watch_say_news_(void)
{
    if (weft_watch_news_ == WEFT_NEWS)
        weft_watch_say_now_();
}

/* It takes `object` in a call at `place`, and would wait for it for good. */
void weft_watch_wants_(const void *object, enum weft_kind kind);

/* Return where it has locked that; 0: it has not. */
uintptr_t weft_watch_place_of_(const void *object);

/* It has got a mutex, or is about to let go of it. */
void weft_watch_passes_(const void *mutex);
void weft_watch_frees_(const void *mutex);

/* It is about to wait for what others do; the mutex that a condition gives up
 * is `without`. */
void weft_watch_awaits_(const void *object, enum weft_kind kind,
                        const void *without, weft_deadline deadline);

/* `object` of that kind is told, under `guard`, and `n` times; it was told. */
void weft_watch_tells_(const void *object, enum weft_kind kind,
                       const void *guard, uint32_t n);
void weft_watch_hears_(const void *object, enum weft_kind kind);

/* Threads: before it starts, when it was joined, and in it when it ends. */
void weft_watch_creates_(uint64_t id);
void weft_watch_joins_(uint64_t id);
void weft_watch_ends_(struct weft_self *s);

/* A semaphore orders from `value` on; any other object begins, or ends. */
void weft_watch_orders_from_(const void *semaphore, uint32_t value);
void weft_watch_forgets_(const void *object, size_t bytes);

/* The calling thread forks; or has forked, and what it tells to is sound. */
void weft_watch_forks_(bool now);

/* Whether it is in the child of a fork, before the second of these: handlers of
 * others run there, and locks may be held for ever by threads that are no more. */
bool weft_watch_is_cut_off_(void);

#endif /* WEFT_DEADLOCK_WATCH_ORDER_H */
