/* SPDX-License-Identifier: MIT */
/*
 * base/stack.h - where a thread is: the calls it is in, as addresses.
 */
#ifndef WEFT_BASE_STACK_H
#define WEFT_BASE_STACK_H

#include <stdbool.h>
#include <stdint.h>

/* How many calls a stack has room for; the outermost are left out. */
#define WEFT_STACK_MAX 62

/* Innermost first.  Each address lies inside its call, not behind it, so that
 * it can be looked up as it is. */
struct weft_stack {
    uint32_t count;
    bool cut; /* there were more */
    uintptr_t calls[WEFT_STACK_MAX];
};

/*
 * Store the stack of the calling thread, without this call.
 *
 *   skip       how many of its innermost calls to leave out, too.  In a
 *              handler of a signal: 0, and the stack is that of the code that
 *              was interrupted
 *   blocking   never, on glibc 2.35 or later with gcc 12 or later: finding the
 *              unwinding tables takes no lock there
 *   caveat     async-signal-safe under the same condition
 */
void weft_stack_capture_(struct weft_stack *s, unsigned skip);

#endif /* WEFT_BASE_STACK_H */
