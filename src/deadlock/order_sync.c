/* SPDX-License-Identifier: MIT */
/*
 * order_sync.c - what must come first, besides the start and end of threads.
 */
#include "deadlock/order_impl.h"

void
weft_order_ran_(struct weft_order_thread *t, const void *once)
{
    (void)t;
    (void)once;
}

void
weft_order_passed_(struct weft_order_thread *t, const void *once)
{
    (void)t;
    (void)once;
}

void
weft_order_arrives_(struct weft_order_thread *t, const void *barrier,
                    uint32_t parties)
{
    (void)t;
    (void)barrier;
    (void)parties;
}

void
weft_order_leaves_(struct weft_order_thread *t, const void *barrier)
{
    (void)t;
    (void)barrier;
}

void
weft_order_sem_begins_(struct weft_order *o, const void *semaphore,
                       uint32_t value)
{
    (void)o;
    (void)semaphore;
    (void)value;
}

void
weft_order_posts_(struct weft_order_thread *t, const void *semaphore,
                  uint32_t n)
{
    (void)t;
    (void)semaphore;
    (void)n;
}

void
weft_order_takes_(struct weft_order_thread *t, const void *semaphore)
{
    (void)t;
    (void)semaphore;
}

void
weft_order_tells_(struct weft_order_thread *t, const void *object,
                  const void *guard)
{
    (void)t;
    (void)object;
    (void)guard;
}

void
weft_order_told_(struct weft_order_thread *t, const void *object)
{
    (void)t;
    (void)object;
}

void
weft_order_listens_(struct weft_order_thread *t, const void *object,
                    const void *guard, const struct weft_dl_place *place)
{
    (void)t;
    (void)object;
    (void)guard;
    (void)place;
}

void
weft_order_passes_(struct weft_order_thread *t, const void *guard,
                   const struct weft_dl_place *place)
{
    (void)t;
    (void)guard;
    (void)place;
}

void
weft_order_frees_(struct weft_order_thread *t, const void *guard)
{
    (void)t;
    (void)guard;
}

void
weft_order_awaits_(struct weft_order_thread *t,
                   const struct weft_dl_held *wanted,
                   const struct weft_dl_held *held, uint32_t held_count)
{
    (void)t;
    (void)wanted;
    (void)held;
    (void)held_count;
}
