/* SPDX-License-Identifier: MIT */
/*
 * pool/job.h - what a pool's queue holds: a task that calls the function which
 * the user submitted.
 */
#ifndef WEFT_POOL_JOB_H
#define WEFT_POOL_JOB_H

#include <stdbool.h>

#include <weft/fail.h>
#include <weft/future.h>
#include <weft/pool.h>

struct weft_job_ {
    weft_task task; /* a queue links it by `word` */
    weft_pool *pool;
    weft_fn *fn;
    void *arg;
    bool keeps_arg;      /* options.drop is not for it */
    weft_future *future; /* which it is part of; NULL: nobody asks how it went,
                            and the job is an allocation of its own */
};

#endif /* WEFT_POOL_JOB_H */
