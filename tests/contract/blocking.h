/* SPDX-License-Identifier: MIT */
/*
 * blocking.h - every kind of blocking queue there is, for tests that each of
 * them has to pass.
 */
#ifndef TESTS_CONTRACT_BLOCKING_H
#define TESTS_CONTRACT_BLOCKING_H

#include <check.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <weft/queue.h>

/* The number of a test run names one of them: an order, an implementation,
 * with a capacity or without. */
enum kind { FIRST_OUT, LAST_OUT, LOWEST_COMPARED, LOWEST_KEY, KINDS };

#define FORMS (KINDS * 3 * 2)

enum kind kind_of(int form);
enum weft_impl impl_of(int form);
bool is_bounded(int form);

/* Whether a call may enter the kernel to have memory given back, though nobody
 * sleeps. */
bool gives_back(int form);

/* An item, or any pointer, that is a number: the order is by number / 1000, so
 * that there are equals. */
void *item(size_t n);
size_t number(const void *item);

/* The options of a form; `capacity` is for those that are bounded. */
weft_queue_options options_of(int form, size_t capacity);

/* A new queue of these options; NULL: the library has no such form. */
weft_queue *open_options(const weft_queue_options *options);
weft_queue *open_queue(int form, size_t capacity);

/* Which of the `n` items of `model`, in the order of their coming, leaves
 * next. */
size_t next_of(enum kind kind, const size_t *model, size_t n);

/* Take item `i` out of `n`. */
void remove_at(size_t *model, size_t n, size_t i);

/* Put, or get, at once, and fail the test if that cannot be. */
void put_number(weft_queue *q, size_t n);
size_t get_number(weft_queue *q);

/* A thread that makes one call, and what the call answered. */
struct call {
    weft_queue *q;
    weft_deadline deadline;
    void *item;
    enum weft_status status;
    pthread_t thread;
};

/* Start it; it is done after pthread_join(c->thread). */
void start_put(struct call *c, weft_queue *q, size_t n, weft_deadline deadline);
void start_get(struct call *c, weft_queue *q, weft_deadline deadline);
void start_join(struct call *c, weft_queue *q, weft_deadline deadline);

/* Wait for its end and return its status. */
enum weft_status end_of(struct call *c);

/* What `drop_noted` dropped, in order, when it is the options' drop. */
#define DROPS_MOST 64
extern size_t drops[DROPS_MOST];
extern size_t drop_count;
void drop_noted(void *item, void *ctx);

#endif /* TESTS_CONTRACT_BLOCKING_H */
