/* SPDX-License-Identifier: MIT */
/*
 * base/patience.h - how long a wait spins before it sleeps: a few microseconds,
 * and longer where the last sleep of the same waiter was a mistake.
 *
 *   short      it spins for WEFT_PARK_SPIN_NS, as any wait does
 *   long       for WEFT_PATIENCE_NS, about what it costs to sleep and be woken
 *              on a CPU that has halted.  After a short spin and a sleep that
 *              were over within WEFT_PATIENCE_PAYS_NS together, the next is
 *              long; after a long one that was in vain, short
 *   yields     every so often while it spins: who is waited for may be waiting
 *              for this CPU
 *
 *       weft_patience_begin_(&p, 1);
 *       while (!is_there())
 *           if (!weft_patience_pause_(&p)) {
 *               sleep();
 *               weft_patience_woken_(&p);
 *               break;
 *           }
 *
 * doc/design/pool.md has the measurement.
 */
#ifndef WEFT_BASE_PATIENCE_H
#define WEFT_BASE_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

#define WEFT_PATIENCE_NS      50000
#define WEFT_PATIENCE_PAYS_NS 100000

/* The waiter's own; zero bytes are a valid one. */
struct weft_patience_ {
    int64_t begun_ns; /* of this wait; 0: not known yet */
    int64_t yield_ns; /* when it yields the next time */
    unsigned pauses;  /* until the next look */
    unsigned pauses_most;
    unsigned paused; /* since it last looked at the clock */
    bool is_long;    /* learnt from the waits before */
    bool gives_way;  /* it yields before it spins */
};

/* The calling thread's, for waits that no other structure has one for. */
extern __thread struct weft_patience_ weft_patience_
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/*
 * A wait begins.  The pauses between its looks double until there are
 * `pauses_most`, a power of two: 1 where a look costs nobody anything, more
 * where it takes a line from those who write it.
 */
void weft_patience_begin_(struct weft_patience_ *p, unsigned pauses_most);

/* Pause before the next look; false: sleep.  False at once where this process
 * has one CPU. */
bool weft_patience_pause_(struct weft_patience_ *p);

/* The sleep after the last pause is over, because of what it waited for. */
void weft_patience_woken_(struct weft_patience_ *p);

#endif /* WEFT_BASE_PATIENCE_H */
