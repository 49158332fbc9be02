/* SPDX-License-Identifier: MIT */
/*
 * sync/rmutex.c - a mutex, and how often its owner has locked it again.
 *
 * The count is 0 whenever the mutex is free, so the first lock and the last
 * unlock need not write it.  Only the owner writes it.  Others may read it, and
 * then find in the word that it is not theirs: a thread reads its own tag there
 * only if it wrote it.
 *
 * Ordering.  The mutex's: the count is handed over with it.
 */
#define WEFT_NO_INLINE
#include <weft/rmutex.h>

#include "sync/mutex_impl.h"

void
weft_rmutex_init(weft_rmutex *m)
{
    weft_mutex_init(&m->mutex);
    atomic_init(&m->again, 0);
}

static uint32_t
again_of(const weft_rmutex *m)
{
    return atomic_load_explicit(&m->again, memory_order_relaxed);
}

static void
set_again(weft_rmutex *m, uint32_t again)
{
    atomic_store_explicit(&m->again, again, memory_order_relaxed);
}

/* What the owner gets; the depth, which is one more, must fit too. */
static enum weft_status
lock_again(weft_rmutex *m)
{
    const uint32_t again = again_of(m);

    if (again == UINT32_MAX - 1)
        return WEFT_OVERFLOW;
    set_again(m, again + 1);
    return WEFT_OK;
}

static enum weft_status
lock_until(weft_rmutex *m, weft_deadline deadline)
{
    if (weft_mutex_is_mine_(&m->mutex))
        return lock_again(m);
    return weft_mutex_wait_(&m->mutex, deadline, WEFT_KIND_RMUTEX);
}

/* What is long is elsewhere, so that the short ways need no frame. */
static __attribute__((noinline)) enum weft_status
lock_from(weft_rmutex *m, const void *from)
{
    weft_watch_call_(from);
    return lock_until(m, WEFT_FOREVER);
}

enum weft_status
weft_rmutex_lock(weft_rmutex *m)
{
    return lock_from(m, __builtin_return_address(0));
}

/* The short way finds it free, so it need not ask whether it has it. */
enum weft_status
weft_rmutex_lock_slow_(weft_rmutex *m)
{
    const void *from = __builtin_return_address(0);

    if (weft_mutex_lock_noted_(&m->mutex, WEFT_KIND_RMUTEX, from))
        return WEFT_OK;
    return lock_from(m, from);
}

enum weft_status
weft_rmutex_trylock(weft_rmutex *m)
{
    WEFT_WATCH_CALL_();
    if (weft_mutex_is_mine_(&m->mutex))
        return lock_again(m);
    return weft_mutex_try_(&m->mutex, WEFT_KIND_RMUTEX) ? WEFT_OK : WEFT_BUSY;
}

enum weft_status
weft_rmutex_lock_until(weft_rmutex *m, weft_deadline deadline)
{
    WEFT_WATCH_CALL_();
    return lock_until(m, deadline);
}

enum weft_status
weft_rmutex_unlock(weft_rmutex *m)
{
    return weft_rmutex_unlock_slow_(m);
}

static __attribute__((noinline)) enum weft_status
unlock(weft_rmutex *m)
{
    if (!weft_mutex_is_mine_(&m->mutex))
        return WEFT_NOT_OWNER;
    const uint32_t again = again_of(m);
    if (again == 0)
        return weft_mutex_give_(&m->mutex, WEFT_KIND_RMUTEX);
    set_again(m, again - 1);
    return WEFT_OK;
}

enum weft_status
weft_rmutex_unlock_slow_(weft_rmutex *m)
{
    struct weft_watch_step step;

    if (again_of(m) != 0 || !weft_watch_may_pop_(&step, m))
        return unlock(m);
    return weft_mutex_unlock_noted_(&m->mutex, &step);
}

bool
weft_rmutex_is_locked(const weft_rmutex *m)
{
    return weft_mutex_is_locked(&m->mutex);
}

uint64_t
weft_rmutex_owner(const weft_rmutex *m)
{
    return weft_mutex_owner(&m->mutex);
}

uint32_t
weft_rmutex_depth(const weft_rmutex *m)
{
    return weft_mutex_is_mine_(&m->mutex) ? again_of(m) + 1 : 0;
}

enum weft_status
weft_rmutex_drop_(weft_rmutex *m, uint32_t *again)
{
    if (!weft_mutex_is_mine_(&m->mutex))
        return WEFT_NOT_OWNER;
    *again = again_of(m);
    set_again(m, 0);
    return weft_mutex_give_(&m->mutex, WEFT_KIND_RMUTEX);
}

void
weft_rmutex_retake_(weft_rmutex *m, uint32_t again)
{
    weft_mutex_retake_(&m->mutex, WEFT_KIND_RMUTEX);
    set_again(m, again);
}
