/* SPDX-License-Identifier: MIT */
/*
 * pools.h - every form of a pool, with 1, 2 and 8 workers, for tests that each
 * of them has to pass.
 */
#ifndef TESTS_CONTRACT_POOLS_H
#define TESTS_CONTRACT_POOLS_H

#include <check.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <weft/event.h>
#include <weft/pool.h>

#define POOLS 6

enum weft_impl pool_impl_of(int form);
unsigned workers_of(int form);

/* A pool of that form; the other options are those of `o`, or defaults. */
weft_pool *open_pool(int form, const weft_pool_options *o);

/* The same with as many workers as given. */
weft_pool *open_pool_of(int form, unsigned workers);

/* Submit, and fail the test if that cannot be. */
weft_future *submit(weft_pool *p, weft_fn *fn, void *arg);

/* Its end, which comes. */
enum weft_status end_of(weft_future *f, void **result);

/* Tasks that keep workers busy until they are let go. */
struct gate {
    _Atomic unsigned entered;
    weft_event opened;
};

void *wait_at_gate(void *gate);

/* Return once `n` tasks of its own keep as many workers of `p` busy. */
void occupy(struct gate *g, weft_pool *p, unsigned n);

/* Tasks. */
void *return_arg(void *arg);
void *count_one(void *counter); /* of an _Atomic unsigned */
void *fail_it(void *arg);

/* How many arguments drop_counted dropped, and the last. */
extern _Atomic unsigned drops;
extern void *_Atomic last_dropped;
void drop_counted(void *arg, void *ctx);

/* Fork and join: the usual numbers. */
struct fib {
    weft_task task;
    long n; /* then the result */
};

long fib_of(long n);
long fib(weft_strand s, long n);
void run_fib(weft_strand s, weft_task *t);

#endif /* TESTS_CONTRACT_POOLS_H */
