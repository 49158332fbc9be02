/* SPDX-License-Identifier: MIT */
/*
 * pool/future_impl.h - the inside of a future, and what a pool does with one.
 *
 *       weft_future *f = weft_future_new_(2);       submit: one share is the
 *       f->of_pool = true;                          caller's, one the queue's
 *
 *       if (weft_future_start_(f) == WEFT_OK)       a worker
 *           weft_future_finish_value_(f, f->job.fn(f->job.arg));
 *       else
 *           ... it was cancelled: drop f->job.arg ...
 *       weft_future_release(f);
 */
#ifndef WEFT_POOL_FUTURE_IMPL_H
#define WEFT_POOL_FUTURE_IMPL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <weft/fail.h>
#include <weft/future.h>
#include <weft/status.h>

#include "pool/job.h"

/* Told once that a future is done.  Its owner links it with weft_future_watch_
 * and takes it back with weft_future_unwatch_. */
struct weft_watcher_ {
    struct weft_watcher_ *next;
    struct weft_watcher_ **at; /* what points to it; NULL: in no list */
    /* Called with the future's lock: short, and no call on that future but
     * weft_future_is_done. */
    void (*notify)(struct weft_watcher_ *w, weft_future *f);
};

/* A function to be called when it is done. */
struct weft_callback_;

struct weft_future {
    _Atomic uint32_t word;   /* the state and three flags, see future.c */
    _Atomic uint32_t shares; /* handles, and what the library holds */
    _Atomic uint32_t lock;   /* of the two lists */
    uint32_t generation;     /* which fork it was made after */
    struct weft_watcher_ *watchers;
    struct weft_callback_ *first; /* callbacks, oldest first */
    struct weft_callback_ *last;
    union {
        struct weft_job_ job; /* of a pool, until it runs or is dropped */
        /* Written before it is done, by whoever makes it so. */
        void *result;
        weft_error error;
    };
    bool of_pool;   /* its users do not set it */
    bool keeps_arg; /* of a pool: options.drop is not for it */
};

_Static_assert(sizeof(void *) > 8 || sizeof(struct weft_future) <= 64,
               "a cache line");

/* The word: a state, and flags.  Done is RESULT and above. */
enum {
    WEFT_FUTURE_PENDING_,
    WEFT_FUTURE_RUNNING_,
    WEFT_FUTURE_SETTING_, /* a promise, between two instructions of a set */
    WEFT_FUTURE_RESULT_,
    WEFT_FUTURE_FAILED_,
    WEFT_FUTURE_CANCELLED_,
    WEFT_FUTURE_BROKEN_,
    WEFT_FUTURE_STATE_ = 7,
    WEFT_FUTURE_AWAITED_ = 8,
    WEFT_FUTURE_LISTED_ = 16,
    WEFT_FUTURE_STOPPING_ = 32
};

/* Return a pending future with `shares` shares; NULL: no memory. */
weft_future *weft_future_new_(uint32_t shares);

/* The same in the caller's memory, which the caller gives back. */
void weft_future_init_(weft_future *f, uint32_t shares);

/* Pending to running.  WEFT_OK; WEFT_CANCELLED: do not begin; WEFT_INVALID: it
 * is running or done. */
WEFT_MUST_USE enum weft_status weft_future_start_(weft_future *f);

/*
 * Make it done: wake who waits, then call what was registered.
 *
 *   status     WEFT_OK with `result`; WEFT_FAILED with `*error`, whose message
 *              becomes the future's; WEFT_BROKEN.  Both may be NULL elsewhere
 *   requires   weft_future_start_ returned WEFT_OK to the caller, who has a
 *              share until the return
 *   ordering   everything before it happens-before a call that finds it done
 */
void weft_future_finish_(weft_future *f, enum weft_status status, void *result,
                         const weft_error *error);

/* The same with what the task's function returned to this thread. */
void weft_future_finish_value_(weft_future *f, void *value);

/* Whether somebody asked it to stop. */
bool weft_future_is_stopping_(const weft_future *f);

/* WEFT_OK: it has a result, WEFT_FAILED, WEFT_CANCELLED or WEFT_BROKEN;
 * WEFT_TIMEOUT: it is not done. */
enum weft_status weft_future_peek_(const weft_future *f);

/* As weft_future_wait; who lists the waiting threads is shown `shown`. */
enum weft_status weft_future_wait_(weft_future *f, weft_deadline deadline,
                                   const void *shown);

/*
 * Have `w` notified once `f` is done.
 *
 *   returns    WEFT_OK; WEFT_BUSY: it is done already, and `w` is in no list;
 *              WEFT_CLOSED: it is the parent's of this forked process
 */
WEFT_MUST_USE enum weft_status weft_future_watch_(weft_future *f,
                                                  struct weft_watcher_ *w);

/* Take `w` back, whether or not it was notified: from now on nobody touches it.
 */
void weft_future_unwatch_(weft_future *f, struct weft_watcher_ *w);

/* Whether it was made by the process that forked this one. */
bool weft_future_is_of_parent_(const weft_future *f);

/* Call `fn(f, ctx)` when it is done; weft_future_on_done without its check. */
WEFT_MUST_USE enum weft_status
weft_future_call_(weft_future *f, void (*fn)(weft_future *f, void *ctx),
                  void *ctx);

/* Notify and call all that is listed; forget it. */
void weft_future_tell_(weft_future *f);
void weft_future_forget_(weft_future *f);

/* Room for a future, not initialized, NULL: no memory; and give it back. */
void *weft_future_take_(void);
void weft_future_give_(void *block);

/* Free what the calling thread has of such rooms; and what threads have in
 * common, of which there are never more than so many batches of 32. */
void weft_future_leave_(void);
void weft_future_trim_(void);
extern unsigned weft_future_batches_most_;

/* A lock for a few instructions; zero is free. */
void weft_brief_lock_(_Atomic uint32_t *lock);
void weft_brief_unlock_(_Atomic uint32_t *lock);

#endif /* WEFT_POOL_FUTURE_IMPL_H */
