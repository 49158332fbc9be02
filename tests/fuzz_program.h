/* SPDX-License-Identifier: MIT */
/*
 * fuzz_program.h - small concurrent programs, drawn by lot, all of whose states
 * can be visited.
 *
 * A program is up to four threads, each a straight list of steps over a few
 * objects.  The first is started by whoever plays the program.  Steps that
 * belong together, as a lock and its unlock, have one number, so that both can
 * be taken out when a program is made smaller.
 */
#ifndef TESTS_FUZZ_PROGRAM_H
#define TESTS_FUZZ_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#define THREADS    4
#define LOCKS      4
#define SEMAPHORES 2
#define STEPS      24  /* of a thread */
#define ALL_STEPS  64  /* of a program */
#define LONGEST    160 /* events of a run */

enum what {
    LOCK,
    UNLOCK,
    READ,
    UNREAD,
    TRY,
    TIMED,
    UNTRY, /* unlock, if the try before got it */
    START,
    JOIN,
    ARRIVE,
    POST,
    TAKE,
    TRYTAKE,
    WAIT, /* while the flag is not set, wait for the condition */
    SET,  /* set the flag */
    BROADCAST,
    SIGNAL,
    WHATS
};

enum kind { MUTEX, RECURSIVE, RWLOCK, SPIN, SEMAPHORE, KINDS };

struct step {
    unsigned char what;
    unsigned char which;
    unsigned char pair;
};

struct program {
    int threads;
    unsigned char kind[LOCKS];
    unsigned char parties; /* of the barrier */
    unsigned char guard;   /* the lock that is the condition's mutex */
    int length[THREADS];
    struct step step[THREADS][STEPS + 1]; /* one more, of no meaning */
};

/* A thread does a step, which may be the second part of one that waits, or goes
 * on without what it tried to get. */
struct event {
    unsigned char thread;
    bool failed;
};

struct run {
    int events;
    struct event event[LONGEST];
};

/* Draw a program.  If it is clean, nobody lets another go on with a lock in his
 * hand, other than the guard. */
struct program draw_program(uint32_t *seed, bool clean);

/* A number below `below`. */
uint32_t draw(uint32_t *seed, uint32_t below);

/* Take the steps with that number out; false: there are none. */
bool drop_pair(struct program *p, int thread, int pair);

void show_program(const struct program *p);

/* What a program has, for the table. */
enum feature {
    F_ALL,
    F_RECURSIVE,
    F_RWLOCK,
    F_SPIN,
    F_SEM_LOCK,
    F_TRY,
    F_JOIN,
    F_BARRIER,
    F_SEMAPHORE,
    F_CONDITION,
    FEATURES
};
extern const char *const feature_names[FEATURES];
bool has_feature(const struct program *p, enum feature f);

#endif /* TESTS_FUZZ_PROGRAM_H */
