/* SPDX-License-Identifier: MIT */
/*
 * thread/stacks.h - the stacks of other threads of this process.
 *
 *   idea       a thread is sent a signal whose handler stores its stack
 *   signal     a real-time one that has no handler when the first is asked
 *              for, highest number but one first; or the number in the
 *              environment variable WEFT_STACK_SIGNAL
 *
 *       weft_stacks_begin_();
 *       weft_stacks_ask_(id, blocked, &stack);
 *       weft_stacks_end_();
 */
#ifndef WEFT_THREAD_STACKS_H
#define WEFT_THREAD_STACKS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/stack.h"

enum weft_answer {
    WEFT_ANSWERED,
    WEFT_BLOCKS_SIGNAL, /* it was not asked */
    WEFT_SILENT,        /* it did not answer in time */
    WEFT_GONE,          /* it has ended */
    WEFT_NO_SIGNAL      /* there is none that is free: nobody is asked */
};

/*
 * Begin to ask threads; end it, and give the signal its old meaning.
 *
 *   requires   one thread at a time between the two
 */
void weft_stacks_begin_(void);
void weft_stacks_end_(void);

/* In a forked child, whose parent may have been in between. */
void weft_stacks_forked_(void);

/*
 * Ask another thread for its stack.
 *
 *   id         the kernel's
 *   blocked    the signals it blocks, bit n - 1 for signal n
 *   returns    WEFT_ANSWERED, and the stack is stored; else why not
 *   blocking   until it answers, at most a quarter of a second; two seconds
 *              for all that are asked between begin and end
 *   caveat     a system call that it sleeps in and that no handler's flag
 *              starts again (poll, nanosleep, ...) ends there with EINTR
 */
enum weft_answer weft_stacks_ask_(pid_t id, uint64_t blocked,
                                  struct weft_stack *out);

/* Return the signal that begin would take; 0: none is free. */
int weft_stacks_signal_(void);

/*
 * Take that signal out of a set of signals to be blocked: for threads of the
 * library's own, which no other signal concerns.
 */
void weft_stacks_let_through_(sigset_t *set);

#endif /* WEFT_THREAD_STACKS_H */
