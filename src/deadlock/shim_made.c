/* SPDX-License-Identifier: MIT */
/*
 * shim_made.c - locks that only the thread knows of that has just made them.
 *
 * Who makes an object often locks it before he puts it where others find it,
 * under the lock of that place: a list.  Later all lock the list first.  Nobody
 * can have the list and want the object at that time, so what he does then is no
 * order.  Others see his object only behind something that he has let go on, so
 * from the first such thing on it is as any other.
 *
 * Made is what was initialised by a call.  Of those that were made in a row the
 * last four are known.  Who gives others an object by a word in memory that they
 * poll is not seen to do so; then a deadlock is missed.
 */
#include "deadlock/shim_order.h"

const char weft_shim_made_[1];

void
weft_shim_makes_(struct weft_shim_thread *t, const void *lock)
{
    if (t == &weft_shim_nobody_)
        return;
    if (t->gave != weft_shim_made_) {
        t->gave_before = t->gave;
        t->gave = weft_shim_made_;
        t->made_count = 0;
    }
    t->made[t->made_count++ % WEFT_SHIM_MADE] = lock;
}

bool
weft_shim_is_own_(const struct weft_shim_thread *t, const void *lock)
{
    if (t->gave != weft_shim_made_)
        return false;
    for (uint32_t i = 0; i < t->made_count && i < WEFT_SHIM_MADE; i++)
        if (t->made[i] == lock)
            return true;
    return false;
}
