/* SPDX-License-Identifier: MIT */
/*
 * worker_none.c - no pool, so no thread is a worker.
 */
#include "pool/worker.h"

bool
weft_worker_help_(weft_future *f, weft_deadline deadline,
                  enum weft_status *status)
{
    (void)f;
    (void)deadline;
    (void)status;
    return false;
}
