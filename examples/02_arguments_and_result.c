/* SPDX-License-Identifier: MIT */
/*
 * 02_arguments_and_result.c - give a thread its input, get back its output.
 *
 * One pointer goes in and one comes out, so several arguments and a result
 * share a struct.  It must live until the thread is joined: here it is main's,
 * and main joins before it returns.  The beginner's mistakes are to pass the
 * address of something that is gone or changed before the thread looks at it,
 * and to return the address of a variable of the thread's own function.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

struct job {
    unsigned from;   /* in */
    unsigned to;     /* in, not counted itself */
    unsigned primes; /* out */
};

static bool
is_prime(unsigned n)
{
    for (unsigned d = 2; d * d <= n; d++)
        if (n % d == 0)
            return false;
    return n >= 2;
}

static void *
count_primes(void *arg)
{
    struct job *job = arg;

    for (unsigned n = job->from; n < job->to; n++)
        job->primes += is_prime(n);
    return job; /* what weft_thread_join hands out */
}

int
main(void)
{
    struct job job = {.from = 0, .to = 100000};
    weft_thread *t;
    void *result;

    if (weft_thread_start(&t, count_primes, &job, NULL) != WEFT_OK)
        return EXIT_FAILURE;
    /* Until the join, job belongs to the thread: main does not touch it. */
    if (weft_thread_join(t, WEFT_FOREVER, &result) != WEFT_OK)
        return EXIT_FAILURE;
    weft_thread_release(t);
    const struct job *done = result;
    printf("%u primes from %u to %u\n", done->primes, done->from, done->to - 1);
}
