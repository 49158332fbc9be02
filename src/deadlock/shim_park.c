/* SPDX-License-Identifier: MIT */
/*
 * shim_park.c - the library's way to wait, as far as base/symbol.c needs it: for
 * a while.  The preloaded object has no other waits of the library's, and no
 * libraries that those would need.
 */
#include "base/park.h"

#include <time.h>

#include "base/deadline.h"

enum weft_status
weft_park_wait_(_Atomic uint32_t *word, uint32_t expected,
                weft_deadline deadline)
{
    const struct timespec t = weft_deadline_timespec_(deadline);

    (void)word;
    (void)expected;
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
    return WEFT_TIMEOUT;
}
