/* SPDX-License-Identifier: MIT */
/*
 * pool/job.h - what a pool's queue holds: a task with the function that the
 * user submitted.
 */
#ifndef WEFT_POOL_JOB_H
#define WEFT_POOL_JOB_H

#include <weft/fail.h>
#include <weft/future.h>

struct weft_job_ {
    void *task[4]; /* where a deque or a list links it */
    weft_fn *fn;
    void *arg;
    weft_future *future; /* NULL: nobody asks how it went */
};

#endif /* WEFT_POOL_JOB_H */
