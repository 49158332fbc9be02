/* SPDX-License-Identifier: MIT */
/*
 * held.h - calls of a blocking queue that are held up.
 *
 * Those that wait, by a signal inside their sleep: what happens meanwhile comes
 * before they can look.  Those that have claimed a cell, of a form in which
 * this holds up others, by hand: the rest of what they do follows later.
 */
#ifndef TESTS_HELD_H
#define TESTS_HELD_H

#include <weft/deadline.h>

#include "blocking.h"
#include "queue/queue_fast.h"

/* A call of a loose form stopped after it had claimed this cell. */
struct stopped {
    struct weft_queue_fast *q;
    struct weft_pair *cell;
    uint64_t filled; /* its stamp when it has an item, */
    uint64_t taken;  /* and when that is gone */
    void *item;
};

/* Claim the next cell of `side`: PUSH, for item(n), or POP, of a ring only. */
struct stopped stop_after_claim(struct weft_queue_fast *q, unsigned side,
                                size_t n);

/* A put goes on as far as its item can be had. */
void fill_cell(struct stopped *s);

/* It goes on to its end, the wake-up included; what its put or get returns. */
enum weft_status go_on(struct stopped *s, unsigned side);

/* Hold up the threads of `n` calls that wait, and return when they stand. */
void hold_all(struct call *calls, unsigned n);

/*
 * Start a get with a deadline and hold it up while it sleeps; return the
 * deadline.
 */
weft_deadline start_held(struct call *get, struct weft_queue_fast *q);

/* Let all go on. */
void let_go(void);

#endif /* TESTS_HELD_H */
