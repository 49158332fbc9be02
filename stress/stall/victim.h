/* SPDX-License-Identifier: MIT */
/*
 * victim.h - the thread that is stopped in the middle of a call.
 *
 *       struct victim *v = victim_start();
 *       victim_step(v, &job, k);               // or victim_surprise
 *       if (victim_wait(v) == VICTIM_STOPPED) {
 *           ...                                // see what the others can do
 *           victim_go_on(v);
 *           victim_wait(v);                    // VICTIM_ENDED
 *       }
 *       victim_join(v);
 */
#ifndef STRESS_STALL_VICTIM_H
#define STRESS_STALL_VICTIM_H

#include <stdbool.h>
#include <stdint.h>

#include "random.h"

struct job {
    void (*call)(void *state); /* the call to be stopped */
    void (*undo)(void *state); /* brings back the state from before it */
    void *state;
};

enum victim_event {
    VICTIM_STOPPED,
    VICTIM_ENDED, /* the call has returned */
    VICTIM_STUCK  /* neither within ten seconds */
};

struct victim;

/* NULL if the system grants no more threads; one at a time. */
struct victim *victim_start(void);
void victim_join(struct victim *v);

/* Let it make the call once, stopping before instruction `first` and, if that
 * is not 0, before `second`. */
void victim_step(struct victim *v, const struct job *j, unsigned long first,
                 unsigned long second);

/*
 * Let it make and undo the call over and over, and stop it in the call at a
 * moment that `random` picks.  After that it ends as soon as the call does.  If
 * it cannot be met there it ends too.
 */
void victim_surprise(struct victim *v, const struct job *j,
                     struct prng *random);

/* Wait until something has happened to it. */
enum victim_event victim_wait(struct victim *v);

/* Where the last stop was. */
uintptr_t victim_place(const struct victim *v);

/* Let it go on from its stop. */
void victim_go_on(struct victim *v);

#endif /* STRESS_STALL_VICTIM_H */
