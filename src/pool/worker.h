/* SPDX-License-Identifier: MIT */
/*
 * pool/worker.h - what futures and parallel algorithms ask of the threads of a
 * pool.
 */
#ifndef WEFT_POOL_WORKER_H
#define WEFT_POOL_WORKER_H

#include <stdbool.h>

#include <weft/deadline.h>
#include <weft/future.h>
#include <weft/pool.h>
#include <weft/status.h>

/*
 * Where the calling thread is a worker of a pool: run other work until `f` is
 * done or `deadline` has passed, and store WEFT_OK, WEFT_TIMEOUT or, for a wait
 * that would never end (a task that waits for itself without a deadline),
 * WEFT_DEADLOCK.
 *
 *   returns    false, and nothing was done: it is no worker
 *   blocking   sleeps where there is no work; no cancellation point.  A task
 *              that it runs may take longer than the deadline
 *   shown      what it waits for, as others see it
 */
bool weft_worker_help_(weft_future *f, weft_deadline deadline,
                       const void *shown, enum weft_status *status);

/* The calling thread is about to run what is its user's, after a task. */
void weft_worker_goes_on_(void);

/* weft_pool_submit_until of normal priority with a future, but the pool never
 * drops `arg`. */
WEFT_MUST_USE enum weft_status weft_pool_submit_kept_(weft_pool *p, weft_fn *fn,
                                                      void *arg,
                                                      weft_deadline deadline,
                                                      weft_future **future);

#endif /* WEFT_POOL_WORKER_H */
