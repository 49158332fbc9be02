/* SPDX-License-Identifier: MIT */
/*
 * step.h - make a call one instruction at a time, and stop it at some of them.
 *
 * Each processor has a file of its own.  Where a program cannot step itself,
 * step_works() says so and victim.c stops its thread at random moments.
 */
#ifndef STRESS_STALL_STEP_H
#define STRESS_STALL_STEP_H

#include <stdbool.h>
#include <stdint.h>

#define STEP_STOPS 2

struct step {
    /* Numbers of instructions, growing, the first is 1; 0: no more. */
    unsigned long stops[STEP_STOPS];
    /* Called before the instruction is executed, in a signal handler. */
    void (*stopped)(void *context, uintptr_t place);
    void *context;
};

/* Make step_call possible until step_end; one thread at a time may use it. */
void step_begin(void);
void step_end(void);

/*
 * Whether a program can step itself here: not every processor lets it, not
 * every emulator, and not ThreadSanitizer.  Ask after step_begin.
 */
bool step_works(void);

/*
 * Call call(arg), stopping where `s` says; after the last stop it runs freely.
 *
 *   returns    how many of the stops were reached
 */
unsigned step_call(const struct step *s, void (*call)(void *), void *arg);

/* The address at which a signal handler found the thread; 0 if unknown. */
uintptr_t step_place(const void *ucontext);

#endif /* STRESS_STALL_STEP_H */
