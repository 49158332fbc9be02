/* SPDX-License-Identifier: MIT */
/*
 * step_aarch64.c - no single steps: only a debugger may ask this processor for
 * them.
 */
#include "stall/step.h"

#include <ucontext.h>

bool
step_works(void)
{
    return false;
}

void
step_begin(void)
{
}

void
step_end(void)
{
}

unsigned
step_call(const struct step *s, void (*call)(void *), void *arg)
{
    (void)s;
    call(arg);
    return 0;
}

uintptr_t
step_place(const void *ucontext)
{
    const ucontext_t *u = ucontext;

    return (uintptr_t)u->uc_mcontext.pc;
}
