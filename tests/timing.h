/* SPDX-License-Identifier: MIT */
/*
 * timing.h - timers that note when they ran, and a timer thread that does what
 * a test wants.
 *
 *   requires   the program is linked with $(timing_ldflags)
 */
#ifndef TESTS_TIMING_H
#define TESTS_TIMING_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <weft/timer.h>

/* No thread can be started; waits end so much too late; until when the thread
 * sleeps that began to last. */
extern _Atomic bool no_threads;
extern _Atomic int64_t oversleep_ns;
extern _Atomic weft_deadline sleeps_until;

/* How many timer threads there are. */
unsigned count_threads(void);
void await_threads(unsigned n);

/* Keeps the timer thread busy until it is opened. */
struct gate {
    sem_t entered;
    sem_t opened;
    weft_timer *timer;
};

void close_gate(struct gate *g);
void open_gate(struct gate *g);

/* The numbers of the timers that ran, in their order, and when the last did;
 * plain on purpose: a join orders them. */
extern int ran[8];
extern int ran_count;
extern int64_t ran_at;

/* Notes the number that `arg` points to. */
void note(void *arg);

/* A timer of that number, 0 to 7, that notes itself; its end. */
weft_timer *start_timer(weft_deadline when, int number);
void finish(weft_timer *t);

#endif /* TESTS_TIMING_H */
