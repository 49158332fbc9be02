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
 *              registry and the deadlock detector read about it.  It is counted:
 *              the list has a share in it, and every handle (src/thread) one
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
#include <stddef.h>
#include <stdint.h>

#include <weft/inline.h>

#include "base/reclaim.h"

/* The bytes that src/thread has in a record. */
#define WEFT_SELF_ROOM 128

/* The shares of a record: one bit, and a number above it. */
#define WEFT_SELF_LISTED 1u
#define WEFT_SELF_HANDLE 2u

/* Who started it. */
enum weft_self_kind { WEFT_SELF_FOREIGN, WEFT_SELF_STARTED, WEFT_SELF_MAIN };

struct weft_name;
struct weft_order_thread;

/* How many locks a record has room for; more are counted only. */
#define WEFT_HELD_MAX 48

/* A lock that a thread holds; written by the thread, read by all. */
struct weft_held {
    _Atomic(const void *) object;
    _Atomic uintptr_t place; /* in the call that took it; 0: not known */
    _Atomic uint32_t kind;
    uint64_t before; /* a number for what was held before; its thread's own */
};

/* How many calls of a long wait's stack are kept, and what else is said. */
#define WEFT_WAIT_PLACES  4
#define WEFT_WAIT_INSISTS 1u /* it cannot be ended with an error */

/* What there is to know about one thread. */
struct weft_self {
    struct weft_retired retired;
    _Atomic(struct weft_self *) next;
    struct weft_self *previous; /* under the list's lock */
    uint64_t id;
    uint32_t tag;
    enum weft_self_kind kind;
    uint32_t generation;              /* which fork it was made after */
    _Atomic uint64_t gone;            /* version that took it out; 0: listed */
    uint64_t born;                    /* version that put it in */
    _Atomic uint32_t shares;          /* WEFT_SELF_LISTED and the handles */
    bool leaves_by_key;               /* the key's destructor will end it */
    _Atomic int64_t native_id;        /* the kernel's; 0: not running yet */
    _Atomic pthread_t pthread;        /* valid once native_id is there */
    _Atomic(_Atomic uint32_t *) fast; /* its weft_self_ */
    _Atomic(const char *) name;       /* base/name.h; NULL: not asked for yet */
    struct weft_name *names;          /* all that it was given */
    char plain_name[32];              /* the one that nobody gave */

    /* Of src/thread: its handle, and what it does when the thread has left the
     * list and when the record is given back; zero bytes and NULL elsewhere. */
    void (*left)(struct weft_self *s);
    void (*dispose)(struct weft_self *s);
    _Alignas(16) unsigned char room[WEFT_SELF_ROOM];

    /* What it waits for now; written by the thread (deadlock/watch.h). */
    _Atomic(const void *) waits_for; /* NULL: it runs */
    _Atomic uint32_t waits_kind;
    _Atomic int64_t waits_until; /* a deadline [ns] */
    _Atomic uint64_t waits;      /* odd while it waits, another for each */

    /* Told by another, who holds it, that it will get what it waits for with
     * this lock: `waits` of that wait. */
    _Atomic uint64_t told;
    _Atomic(const void *) told_lock;
    _Atomic uint32_t told_kind;

    /* The rest is kept only while somebody watches. */
    _Atomic int64_t waits_since; /* [ns] */
    _Atomic uint32_t waits_flags;
    _Atomic uint64_t waits_victim; /* the wait that is to end: its `waits` */
    _Atomic uintptr_t waits_place[WEFT_WAIT_PLACES]; /* 0: no more */

    /* What it tells of the order of locks (deadlock/watch_order.h); its own,
     * mapped while somebody predicts. */
    struct weft_order_thread *order;

    /* Its short ways (deadlock/watch_short.h); its own. */
    struct weft_order_thread
        *asked; /* whether it has told; NULL: it need not */
    uint32_t short_at;

    /* What it holds, oldest first; one more has only a number, for all. */
    _Atomic uint32_t held_count; /* may pass WEFT_HELD_MAX */
    struct weft_held held[WEFT_HELD_MAX + 1];
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
 * Make a record for a thread that is about to start; it has one handle and is
 * not listed yet.
 *
 *   returns    NULL if there is no memory
 */
struct weft_self *weft_self_create_(enum weft_self_kind kind);

/* List it: now it has its id and its tag. */
void weft_self_list_(struct weft_self *s);

/* The calling thread, which has never called Weft, is the one of `s`. */
void weft_self_adopt_(struct weft_self *s);

/*
 * Take a record off the list: one that no thread adopted, or the calling
 * thread's own.  The list's share in it ends.
 */
void weft_self_leave_(struct weft_self *s);

/* Called, if not NULL, when a thread leaves that holds something. */
extern void (*_Atomic weft_self_left_holding_)(const struct weft_self *s);

/* Called, if not NULL, when a thread leaves that has told of orders. */
extern void (*_Atomic weft_self_left_orders_)(struct weft_self *s);

/* The calling thread has run what it was started for: leave now if nothing
 * else will do it later. */
void weft_self_end_(void);

/*
 * Take one more handle.
 *
 *   requires   _retain_: the caller has a handle, or `s` cannot leave now;
 *              _try_: between weft_reclaim_enter_ and weft_reclaim_leave_
 *   returns    _try_: false if nobody has a share in it any more
 */
void weft_self_retain_(struct weft_self *s);
bool weft_self_try_retain_(struct weft_self *s);

/*
 * Give a handle back; with the last share, the record goes once nobody reads
 * it.
 */
void weft_self_release_(struct weft_self *s);

/* Give a handle back if there is another one; whether it did. */
bool weft_self_release_one_of_(struct weft_self *s);

/*
 * The same in two steps, for a caller with a lock: give a share back, then,
 * without the lock and if it was the last one, let the record go.
 */
bool weft_self_drop_(struct weft_self *s, uint32_t share);
void weft_self_gather_(struct weft_self *s);

/*
 * Keep a listed record, and so its thread, from leaving until weft_self_unpin_;
 * false, and nothing is kept, if it has left already.
 *
 *   caveat     no thread starts or ends meanwhile: be quick
 */
bool weft_self_pin_(const struct weft_self *s);
void weft_self_unpin_(void);

/*
 * Return the system's id of a thread that was just started and not yet joined
 * or detached.
 *
 *   returns    0 if it cannot be told, or if the thread has ended: then it has
 *              told by itself
 */
int64_t weft_native_id_of_(pthread_t thread);

/* Whether its thread has ended, or did not come along into a forked child. */
bool weft_self_is_gone_(const struct weft_self *s);

/* Whether `s` belongs to a thread of the process that forked this one. */
bool weft_self_is_of_parent_(const struct weft_self *s);

/* Return how often a process forked, from the first one down to this one. */
uint32_t weft_self_generation_(void);

/* The main thread's record, or in a forked child that of the thread that
 * called fork; NULL only if it has none for want of memory. */
struct weft_self *weft_self_main_(void);

/*
 * The first record and the next, in the order of their ids; NULL: no more.
 *
 *   requires   between weft_reclaim_enter_ and weft_reclaim_leave_
 *   progress   wait-free; threads start and end meanwhile
 */
struct weft_self *weft_self_first_(void);
struct weft_self *weft_self_next_(const struct weft_self *s);

/*
 * Return how often the list has changed.
 *
 *   ordering   a record that is `born` by then is found by a walk that follows;
 *              one that a walk before did not find is `gone` by then, or was
 *              never born
 */
uint64_t weft_self_version_(void);

/* Return how many records are listed. */
size_t weft_self_count_(void);

/* Return the id of the living thread whose tag is `tag`, or of the first one
 * that ever had it; 0 for a tag of 0. */
uint64_t weft_self_id_of_(uint32_t tag);

/* Return the id of the first thread that had that tag: of the living one, but
 * for a process that has started 2^29 threads. */
uint64_t weft_self_first_id_of_(uint32_t tag);

/*
 * Let every thread take the slow way from now on, or the fast one again.
 *
 *   caveat     a thread that is inside a fast path meanwhile finishes it
 */
void weft_self_watch_(bool on);

#endif /* WEFT_BASE_SELF_H */
