/* SPDX-License-Identifier: MIT */
/*
 * waiting.h - for tests that go on once other threads are waiting.
 */
#ifndef TESTS_WAITING_H
#define TESTS_WAITING_H

#include <sched.h>
#include <stddef.h>

#include "base/self.h"

/* How many threads are in the sleeping part of a wait for `object`. */
static inline size_t
count_waiting(const void *object)
{
    size_t n = 0;

    weft_reclaim_enter_();
    for (struct weft_self *s = weft_self_first_(); s != NULL;
         s = weft_self_next_(s))
        if (atomic_load_explicit(&s->waits_for, memory_order_relaxed) == object)
            n++;
    weft_reclaim_leave_();
    return n;
}

static inline void
until_waiting(const void *object, size_t n)
{
    while (count_waiting(object) != n)
        sched_yield();
}

#endif /* TESTS_WAITING_H */
