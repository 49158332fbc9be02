/* SPDX-License-Identifier: MIT */
/*
 * future.h - the outcome of something that runs elsewhere: asked for, waited
 * for, called off.
 *
 *   shape      64 bytes, which threads keep for the next one; counted handles
 *   source     the model of Python's concurrent.futures; the algorithm is
 *              original
 *   sibling    event.h, for something that has no result
 *
 *       weft_future *f;
 *       if (weft_pool_submit(p, read_all, "notes.txt", &f) != WEFT_OK)
 *           return;
 *       void *text;
 *       const weft_error *e;
 *       if (weft_future_result(f, weft_in_s(2), &text) == WEFT_OK)
 *           use(text);
 *       else if (weft_future_error(f, WEFT_NOW, &e) == WEFT_FAILED)
 *           puts(e->message);
 *       weft_future_release(f);
 *
 * States.  A future is pending, then running, then done: with a result, with an
 * error, or broken with its pool.  One that is cancelled while it is pending is
 * done at once.  Exactly one of all who finish or cancel a future does it, and
 * nothing changes a future that is done.
 *
 * Handles.  Each is given back by weft_future_release; _retain gives one more.
 * The future and its error live until the last one is given back.  A task runs
 * on without any.  Who has waited for a future may give its handle back at once,
 * also while the call that finished it has not returned yet.
 *
 * Waiting.  A task of a pool that waits runs other tasks of the pool meanwhile.
 * Other threads sleep and are then at a cancellation point (pthread_cancel); who
 * is cancelled there leaves all as if it had not called.
 *
 * A forked child may ask after futures of its parent that are done; for others
 * it gets WEFT_CLOSED in the place of a wait, and what was registered with them
 * in the parent is not called.  No call may be made from a signal handler.
 */
#ifndef WEFT_FUTURE_H
#define WEFT_FUTURE_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/base.h>
#include <weft/deadline.h>
#include <weft/fail.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

typedef struct weft_future weft_future;

/*
 * Wait until it is done and take what the task returned.
 *
 *   result     may be NULL; written only on WEFT_OK
 *   returns    WEFT_OK; WEFT_FAILED, and weft_future_error says how;
 *              WEFT_CANCELLED; WEFT_BROKEN, its pool was broken before it ran;
 *              WEFT_TIMEOUT, it goes on and can be asked again; WEFT_DEADLOCK, a
 *              task waits for itself; WEFT_CLOSED, see above
 *   blocking   until it is done
 *   ordering   everything before the task's return, or before the call of the
 *              promise that finished it, happens-before any of the first four
 *   cost       of one that is done: one load
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_future_result(weft_future *f, weft_deadline deadline, void **result);

/*
 * Wait until it is done and say how it failed.
 *
 *   error      may be NULL; written on WEFT_OK, with NULL: it has a result; and
 *              on WEFT_FAILED, valid as long as the handle
 *   returns    otherwise as weft_future_result
 *   blocking   until it is done
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_future_error(weft_future *f, weft_deadline deadline,
                  const weft_error **error);

/*
 * Wait until it is done, in whatever way.
 *
 *   returns    WEFT_OK; WEFT_TIMEOUT; WEFT_DEADLOCK or WEFT_CLOSED, as
 *              weft_future_result
 *   blocking   until it is done
 *   ordering   everything before it was done happens-before WEFT_OK
 */
WEFT_API enum weft_status weft_future_wait(weft_future *f,
                                           weft_deadline deadline);

/*
 * Call it off if it has not begun.
 *
 *   returns    whether it is cancelled now, by this call or another; false: it
 *              runs or is done
 *   blocking   never, but for the functions of weft_future_on_done, which it
 *              calls
 *   ordering   as for a result
 */
WEFT_API bool weft_future_cancel(weft_future *f);

/*
 * Ask the task to stop: weft_task_cancelled() is true in it from now on.
 *
 *   caveat     the task decides, and one that has not begun begins all the same
 *   progress   wait-free
 */
WEFT_API void weft_future_request_stop(weft_future *f);

/*
 * Whether it is done: with a result, an error, broken or cancelled.
 *
 *   ordering   if so, everything before it was done happens-before the return
 */
WEFT_API bool weft_future_is_done(const weft_future *f);

/* Whether it has begun and is not done. */
WEFT_API bool weft_future_is_running(const weft_future *f);

/* Whether it was cancelled. */
WEFT_API bool weft_future_is_cancelled(const weft_future *f);

/*
 * Call `fn(f, ctx)` once when it is done; at once, here, if it is done already.
 *
 *   fn         runs in the thread that finishes or cancels it, without a lock,
 *              in the order in which they were registered, after those who wait
 *              were woken.  `f` is lent for the call.  It may call Weft, on this
 *              future too.  What it notes with weft_fail is forgotten
 *   returns    WEFT_OK; else it will not be called: WEFT_INVALID (`fn` is NULL),
 *              WEFT_NO_MEMORY, WEFT_CLOSED (see above)
 *   blocking   for a few instructions of another such call
 *   ordering   as for a result
 *   cost       one allocation, unless it is done
 *   caveat     not called if the last handle of a promise is given back before
 *              it is done
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_future_on_done(weft_future *f, void (*fn)(weft_future *f, void *ctx),
                    void *ctx);

/* Take one more handle, and return it. */
WEFT_API weft_future *weft_future_retain(weft_future *f);

/* Give a handle back; NULL is fine. */
WEFT_API void weft_future_release(weft_future *f);

/*
 * Create a promise, a future that its users finish, and store it in `*out`.  It
 * is pending.
 *
 *   returns    WEFT_OK; WEFT_INVALID (`out` is NULL), WEFT_NO_MEMORY
 *   cost       one allocation, unless one that was released is there
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_future_create(weft_future **out);

/*
 * Make a promise run, so that it can no longer be cancelled.
 *
 *   returns    WEFT_OK; WEFT_CANCELLED: do not begin; WEFT_INVALID: it is
 *              running or done
 *   progress   lock-free
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_future_start(weft_future *f);

/*
 * Finish a promise, pending or running, with a result; with an error, of which
 * `format` is as printf's and may be NULL.
 *
 *   returns    WEFT_OK; WEFT_INVALID, and nothing has changed: it is done, or
 *              another thread is at it
 *   requires   it is no future of a pool
 *   blocking   never, but for the functions of weft_future_on_done, which it
 *              calls
 *   ordering   everything before it happens-before what finds the future done
 *   cost       two atomic read-modify-writes; a system call if threads sleep; of
 *              an error one allocation, without which the message says so
 */
WEFT_API enum weft_status weft_future_set_result(weft_future *f, void *result);
WEFT_API enum weft_status weft_future_set_error(weft_future *f, int code,
                                                const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What weft_wait waits for. */
enum weft_when {
    WEFT_ALL_DONE,    /* all are done */
    WEFT_FIRST_DONE,  /* one is done */
    WEFT_FIRST_FAILED /* one has failed or is broken, or all are done */
};

/*
 * Wait for several futures.
 *
 *   futures    with handles that last until the return; one that is there twice
 *              counts once
 *   n          0: WEFT_OK at once
 *   done       may be NULL; on WEFT_OK and WEFT_TIMEOUT, how many different ones
 *              are done.  weft_future_is_done says which
 *   returns    WEFT_OK; WEFT_TIMEOUT; WEFT_INVALID (a NULL among them, `when`
 *              is not one of the enum), WEFT_NO_MEMORY, WEFT_DEADLOCK,
 *              WEFT_CLOSED: nothing was written
 *   blocking   until what `when` says
 *   ordering   as for a result, of each that is counted
 *   cost       one allocation for more than 16, none below
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_wait(weft_future *const *futures,
                                                  size_t n, enum weft_when when,
                                                  weft_deadline deadline,
                                                  size_t *done);

/* Hands out several futures, each once, as they are done. */
typedef struct weft_as_completed weft_as_completed;

/*
 * Begin to watch `futures` and store the iterator in `*out`: it hands out those
 * that are done already, in their order here, then the others as they are done.
 *
 *   futures    retained until the iterator is destroyed; one that is there twice
 *              is handed out once
 *   n          may be 0
 *   returns    WEFT_OK; WEFT_INVALID (`out` is NULL, a NULL among them),
 *              WEFT_NO_MEMORY, WEFT_CLOSED (see above): nothing was changed
 *   cost       one allocation
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_as_completed_create(weft_as_completed **out, weft_future *const *futures,
                         size_t n);

/*
 * Wait for the next one that is done.
 *
 *   deadline   the same one in each call makes it one for all
 *   future     lent until the iterator is destroyed
 *   returns    WEFT_OK; WEFT_CLOSED: each was handed out, or, in a forked child,
 *              the others will not be done; WEFT_TIMEOUT, WEFT_DEADLOCK: it can
 *              be called again
 *   blocking   until one is done
 *   ordering   as for a result
 *   threads    one at a time
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_as_completed_next(weft_as_completed *it, weft_deadline deadline,
                       weft_future **future);

/*
 * Give the iterator back, whether or not it has come to its end; the futures go
 * on.  NULL is fine.
 *
 *   requires   no other call is running
 *   blocking   for a few instructions of those who finish them
 */
WEFT_API void weft_as_completed_destroy(weft_as_completed *it);

WEFT_END_DECLS

#endif /* WEFT_FUTURE_H */
