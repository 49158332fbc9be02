/* SPDX-License-Identifier: MIT */
/*
 * deadline.c - deadlines that saturate instead of wrapping around.
 *
 * The clock of a machine that has been up for 292 years would not fit; every
 * other sum either fits or becomes WEFT_FOREVER.
 */
#include "base/deadline.h"

#define NS_PER_S  INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_US INT64_C(1000)

int64_t
weft_clock_ns_(void)
{
    struct timespec now;

    /* Cannot fail: the clock exists on every Linux and `now` is ours. */
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

struct timespec
weft_deadline_timespec_(weft_deadline d)
{
    int64_t ns = d > 0 ? d : 0;

    return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_S),
                             .tv_nsec = (long)(ns % NS_PER_S)};
}

static weft_deadline
from_now(int64_t n, int64_t unit_ns)
{
    int64_t span;
    weft_deadline sum;

    if (n <= 0)
        return WEFT_NOW;
    if (__builtin_mul_overflow(n, unit_ns, &span) ||
        __builtin_add_overflow(weft_clock_ns_(), span, &sum))
        return WEFT_FOREVER;
    return sum;
}

weft_deadline
weft_in_ns(int64_t n)
{
    return from_now(n, 1);
}

weft_deadline
weft_in_us(int64_t n)
{
    return from_now(n, NS_PER_US);
}

weft_deadline
weft_in_ms(int64_t n)
{
    return from_now(n, NS_PER_MS);
}

weft_deadline
weft_in_s(int64_t n)
{
    return from_now(n, NS_PER_S);
}
