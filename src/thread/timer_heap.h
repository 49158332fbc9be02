/* SPDX-License-Identifier: MIT */
/*
 * thread/timer_heap.h - timers by deadline, equal ones by number; private to
 * the timers.
 *
 *   shape      a heap with four children a node, in one array: a node's
 *              children share a cache line and a half, and the tree is half as
 *              deep as a binary one.  Each timer knows its place, so that any
 *              can be taken out.
 *   threads    none at the same time: the caller locks
 */
#ifndef WEFT_THREAD_TIMER_HEAP_H
#define WEFT_THREAD_TIMER_HEAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/timer.h>

#define WEFT_TIMER_NOWHERE SIZE_MAX

struct weft_timer {
    size_t place;           /* in the heap, or WEFT_TIMER_NOWHERE; locked */
    _Atomic uint32_t state; /* thread/timer.c */
    _Atomic uint32_t holds; /* the user's, and the timer thread's */
    void (*fn)(void *arg);
    void *arg;
};

struct weft_timer_node {
    weft_deadline when;
    uint64_t number;
    weft_timer *timer;
};

/* Zero bytes are an empty one. */
struct weft_timer_heap {
    struct weft_timer_node *nodes;
    size_t count;
    size_t room;
};

/* Put `node` in; false, and nothing is changed, if there is no memory. */
bool weft_timer_heap_add_(struct weft_timer_heap *h,
                          struct weft_timer_node node);

/* Take out the node at `place`, which is less than `h->count`; 0 is the
 * earliest.  What the array does not need goes back. */
weft_timer *weft_timer_heap_remove_(struct weft_timer_heap *h, size_t place);

/* Give the array back; the timers are the caller's. */
void weft_timer_heap_clear_(struct weft_timer_heap *h);

#endif /* WEFT_THREAD_TIMER_HEAP_H */
