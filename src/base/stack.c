/* SPDX-License-Identifier: MIT */
/*
 * stack.c - stacks by the compiler's own unwinder, _Unwind_Backtrace of libgcc.
 *
 * Why this one: it is what exceptions and cancellation use, so every process
 * can have it, and since glibc 2.35 it finds its tables without a lock, which
 * is all that a signal handler asks.  backtrace() is the same, loaded with
 * dlopen at a moment that may be a bad one.  libunwind and elfutils' unwinder
 * know no more of the own process.
 *
 * The unwinder says of each frame whether its address is that of an
 * instruction about to run or of one to return to.  Only a frame that a signal
 * has interrupted is of the first kind, so what comes before it belongs to the
 * handler.  The other addresses are taken back by one byte, into the call.
 */
#include "base/stack.h"

#include <unwind.h>

struct walk {
    struct weft_stack *stack;
    unsigned skip;
};

static _Unwind_Reason_Code
add(struct _Unwind_Context *context, void *arg)
{
    struct walk *w = arg;
    struct weft_stack *s = w->stack;
    int interrupted = 0;
    const uintptr_t address = _Unwind_GetIPInfo(context, &interrupted);

    if (address == 0)
        return _URC_END_OF_STACK;
    if (interrupted != 0) {
        w->skip = 0;
        s->count = 0;
    }
    if (w->skip > 0) {
        w->skip--;
    } else if (s->count < WEFT_STACK_MAX) {
        s->calls[s->count++] = interrupted != 0 ? address : address - 1;
    } else {
        s->cut = true;
        return _URC_END_OF_STACK;
    }
    return _URC_NO_REASON;
}

__attribute__((noinline)) void
weft_stack_capture_(struct weft_stack *s, unsigned skip)
{
    struct walk w = {s, skip + 1};

    s->count = 0;
    s->cut = false;
    _Unwind_Backtrace(add, &w);
}
