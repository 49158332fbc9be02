/* SPDX-License-Identifier: MIT */
/*
 * pool/job.h - what a pool's queue holds: a function and its argument, in the
 * queue itself.
 */
#ifndef WEFT_POOL_JOB_H
#define WEFT_POOL_JOB_H

#include <weft/fail.h>

struct weft_job_ {
    weft_fn *fn; /* the user's, or a mark of pool_submit.c */
    void *arg;
};

#endif /* WEFT_POOL_JOB_H */
