/* SPDX-License-Identifier: MIT */
/*
 * sync/rmutex.c - a mutex, and how often its owner has locked it again.
 *
 * The count is 0 whenever the mutex is free, so the first lock and the last
 * unlock need not touch it; only the owner reads or writes it, and sees who
 * that is in the mutex's word: a thread reads its own tag there only if it
 * wrote it.
 *
 * Ordering.  The mutex's: the count is handed over with it.
 */
#include <weft/rmutex.h>

#include "sync/mutex_impl.h"

void
weft_rmutex_init(weft_rmutex *m)
{
    weft_mutex_init(&m->mutex);
    m->again = 0;
}

/* What the owner gets. */
static enum weft_status
lock_again(weft_rmutex *m)
{
    if (m->again == UINT32_MAX - 1) /* depth is one more */
        return WEFT_OVERFLOW;
    m->again++;
    return WEFT_OK;
}

enum weft_status
weft_rmutex_lock(weft_rmutex *m)
{
    return weft_rmutex_lock_slow_(m);
}

enum weft_status
weft_rmutex_lock_slow_(weft_rmutex *m)
{
    return weft_rmutex_lock_until(m, WEFT_FOREVER);
}

enum weft_status
weft_rmutex_trylock(weft_rmutex *m)
{
    if (weft_mutex_is_mine_(&m->mutex))
        return lock_again(m);
    return weft_mutex_try_(&m->mutex, WEFT_KIND_RMUTEX) ? WEFT_OK : WEFT_BUSY;
}

enum weft_status
weft_rmutex_lock_until(weft_rmutex *m, weft_deadline deadline)
{
    if (weft_mutex_is_mine_(&m->mutex))
        return lock_again(m);
    return weft_mutex_wait_(&m->mutex, deadline, WEFT_KIND_RMUTEX);
}

enum weft_status
weft_rmutex_unlock(weft_rmutex *m)
{
    return weft_rmutex_unlock_slow_(m);
}

enum weft_status
weft_rmutex_unlock_slow_(weft_rmutex *m)
{
    if (!weft_mutex_is_mine_(&m->mutex))
        return WEFT_NOT_OWNER;
    if (m->again == 0)
        return weft_mutex_give_(&m->mutex, WEFT_KIND_RMUTEX);
    m->again--;
    return WEFT_OK;
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
    return weft_mutex_is_mine_(&m->mutex) ? m->again + 1 : 0;
}

enum weft_status
weft_rmutex_drop_(weft_rmutex *m, uint32_t *again)
{
    if (!weft_mutex_is_mine_(&m->mutex))
        return WEFT_NOT_OWNER;
    *again = m->again;
    m->again = 0;
    return weft_mutex_give_(&m->mutex, WEFT_KIND_RMUTEX);
}

void
weft_rmutex_retake_(weft_rmutex *m, uint32_t again)
{
    weft_mutex_retake_(&m->mutex, WEFT_KIND_RMUTEX);
    m->again = again;
}
