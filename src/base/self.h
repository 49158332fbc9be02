/* SPDX-License-Identifier: MIT */
/*
 * base/self.h - who the calling thread is, and the list of all threads that
 * ever called Weft and have not ended.
 *
 *   id         1 for main, then 2, 3, ...; 64 bits, never used again
 *   tag        what locks write into their words: 29 bits of the id above
 *              three free bits.  No two living threads have the same; after
 *              2^29 thread starts the tag of an ended thread comes back.
 *   record     one per thread, in the list until it ends: what the dump, the
 *              registry and the deadlock detector read about it
 *
 * The fast word `weft_self_` (include/weft/inline.h) is the tag, or 0 while the
 * thread has not called yet or while somebody watches (deadlock/watch.h): the
 * inline paths then fail at once, and one branch serves both.
 *
 *       const uint32_t me = weft_self_tag_();
 *
 *       weft_reclaim_enter_();
 *       for (struct weft_self *s = weft_self_first_(); s != NULL;
 *            s = weft_self_next_(s))
 *           ...
 *       weft_reclaim_leave_();
 */
#ifndef WEFT_BASE_SELF_H
#define WEFT_BASE_SELF_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <weft/inline.h>

#include "base/reclaim.h"

/* How many locks a record has room for; more are counted only. */
#define WEFT_HELD_MAX 48

/* A lock that a thread holds; written by the thread, read by all. */
struct weft_held {
    _Atomic(const void *) object;
    _Atomic uint32_t kind;
};

/* What there is to know about one thread. */
struct weft_self {
    struct weft_retired retired;
    _Atomic(struct weft_self *) next;
    struct weft_self *previous; /* under the list's lock */
    uint64_t id;
    uint32_t tag;
    _Atomic int64_t native_id;        /* the kernel's; 0: not running yet */
    _Atomic pthread_t pthread;        /* valid once native_id is there */
    _Atomic(_Atomic uint32_t *) fast; /* its weft_self_ */
    _Atomic(void *) thread; /* the weft_thread of src/thread, or NULL */

    /* What it waits for now; written by the thread (deadlock/watch.h). */
    _Atomic(const void *) waits_for; /* NULL: it runs */
    _Atomic uint32_t waits_kind;
    _Atomic int64_t waits_until; /* a deadline [ns] */
    _Atomic uint64_t waits;      /* how often it began to wait or ended it */

    /* What it holds, oldest first; kept only while somebody watches. */
    _Atomic uint32_t held_count; /* may pass WEFT_HELD_MAX */
    struct weft_held held[WEFT_HELD_MAX];
};

extern __thread struct weft_self *weft_self_record_
    __attribute__((tls_model("initial-exec"), visibility("hidden")));
extern __thread uint32_t weft_self_own_tag_
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* Make the calling thread known; return its tag. */
uint32_t weft_self_enter_(void);

/*
 * Return the calling thread's tag, never 0.
 *
 *   cost       a thread's first call allocates its record; later ones one
 *              thread-local read
 */
static inline uint32_t
weft_self_tag_(void)
{
    const uint32_t tag = weft_self_own_tag_;

    return tag != 0 ? tag : weft_self_enter_();
}

/*
 * Return the calling thread's record.
 *
 *   returns    NULL if there was no memory for one, or if the thread is ending
 *              and has already left the list: it still has its tag and id
 */
static inline struct weft_self *
weft_self_get_(void)
{
    weft_self_tag_();
    return weft_self_record_;
}

/* Return the calling thread's id. */
uint64_t weft_self_id_(void);

/*
 * Make a record for a thread that is about to start, and list it.
 *
 *   returns    NULL if there is no memory
 */
struct weft_self *weft_self_create_(void);

/* The calling thread, which has never called Weft, is the one of `s`. */
void weft_self_adopt_(struct weft_self *s);

/*
 * Take a record off the list that weft_self_create_ made and no thread adopted,
 * or the calling thread's own.  It is given back once nobody reads it.
 */
void weft_self_leave_(struct weft_self *s);

/*
 * The first record and the next, in the order of their ids; NULL: no more.
 *
 *   requires   between weft_reclaim_enter_ and weft_reclaim_leave_
 *   progress   wait-free; threads start and end meanwhile
 */
struct weft_self *weft_self_first_(void);
struct weft_self *weft_self_next_(const struct weft_self *s);

/*
 * Return how often the list has changed: the same number before and after a
 * walk, and even, means that the walk saw what was there at one moment.
 */
uint64_t weft_self_version_(void);

/* Return the id of the living thread whose tag is `tag`, or of the first one
 * that ever had it; 0 for a tag of 0. */
uint64_t weft_self_id_of_(uint32_t tag);

/*
 * Let every thread take the slow way from now on, or the fast one again.
 *
 *   caveat     a thread that is inside a fast path meanwhile finishes it
 */
void weft_self_watch_(bool on);

#endif /* WEFT_BASE_SELF_H */
