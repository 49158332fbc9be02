/* SPDX-License-Identifier: MIT */
/*
 * base/backoff.h - step back after a lost compare-and-swap.
 *
 * Each loss doubles the wait, up to a bound, so that a loop which backs off
 * stays lock-free.  The winner meanwhile makes several steps on cache lines it
 * already owns, which is what makes it pay.
 */
#ifndef WEFT_BASE_BACKOFF_H
#define WEFT_BASE_BACKOFF_H

#include <ck_pr.h>

#define WEFT_BACKOFF_FIRST 64  /* [pauses] */
#define WEFT_BACKOFF_MOST  256 /* [pauses] */

/* Wait `pauses` and return how long to wait the next time. */
static inline unsigned
weft_backoff_(unsigned pauses)
{
    for (unsigned i = 0; i < pauses; i++)
        ck_pr_stall();
    return pauses < WEFT_BACKOFF_MOST ? 2 * pauses : pauses;
}

#endif /* WEFT_BASE_BACKOFF_H */
