/* SPDX-License-Identifier: MIT */
/*
 * fuzz_oracle.h - what can happen in a program, by visiting all of its states.
 */
#ifndef TESTS_FUZZ_ORACLE_H
#define TESTS_FUZZ_ORACLE_H

#include "fuzz_program.h"

/* Sets of threads are bits. */
struct verdict {
    bool too_large;
    bool stuck[1 << THREADS]; /* these can be stuck for good, all at once */
    bool cycle[1 << THREADS]; /* in a cycle of locks alone */
    bool
        pair[1 << THREADS]; /* two, of which one waits for a lock, and the other
                                 for what nobody else does */
};

struct verdict judge_program(const struct program *p);

/* Whether these threads, and maybe more, can be stuck at once. */
bool can_be_stuck(const struct verdict *v, unsigned threads);

/* Draw a run that comes to its end, or to one in which somebody is stuck; false:
 * there is none.  The run can be played: no two threads wait for a condition at
 * a time, and who was told has the mutex back before anybody else asks for it.
 * `verdict` is that of the state the run ends in. */
bool draw_run(const struct program *p, uint32_t *seed, bool to_the_end,
              struct run *r, struct verdict *v);

#endif /* TESTS_FUZZ_ORACLE_H */
