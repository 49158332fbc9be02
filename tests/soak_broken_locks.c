/* SPDX-License-Identifier: MIT */
/*
 * soak_broken_locks.c - mutexes that are right but for one thing.
 */
#include <weft/mutex.h>
#include <weft/rmutex.h>

#include <unistd.h>

#include "soak_broken.h"

#define SELDOM 500

struct lock {
    union {
        weft_mutex m;
        weft_rmutex r;
    } real;
    _Atomic unsigned calls;
};

/* This thread is in without the lock, or will still unlock what is free. */
static _Thread_local unsigned lies;

static weft_mutex *
m_of(const void *m)
{
    return &((struct lock *)(uintptr_t)m)->real.m;
}

static weft_rmutex *
r_of(const void *m)
{
    return &((struct lock *)(uintptr_t)m)->real.r;
}

static bool
now(void *m)
{
    struct lock *l = m;

    return atomic_fetch_add_explicit(&l->calls, 1, memory_order_relaxed) %
               SELDOM ==
           SELDOM - 1;
}

static enum weft_status
lock(void *m)
{
    return weft_mutex_lock(m_of(m));
}

static enum weft_status
trylock(void *m)
{
    return weft_mutex_trylock(m_of(m));
}

static enum weft_status
until(void *m, weft_deadline deadline)
{
    return weft_mutex_lock_until(m_of(m), deadline);
}

static enum weft_status
unlock(void *m)
{
    return weft_mutex_unlock(m_of(m));
}

static bool
is_locked(const void *m)
{
    return lies > 0 || weft_mutex_is_locked(m_of(m));
}

static uint64_t
owner(const void *m)
{
    return lies > 0 ? 1 : weft_mutex_owner(m_of(m));
}

/* Locks nothing: each thread knows what it would hold. */
static enum weft_status
lie(void *m)
{
    (void)m;
    if (lies > 0)
        return WEFT_DEADLOCK;
    lies = 1;
    return WEFT_OK;
}

static enum weft_status
lie_try(void *m)
{
    return lie(m) == WEFT_OK ? WEFT_OK : WEFT_BUSY;
}

static enum weft_status
lie_until(void *m, weft_deadline deadline)
{
    (void)deadline;
    return lie(m) == WEFT_OK ? WEFT_OK : WEFT_TIMEOUT;
}

static enum weft_status
unlie(void *m)
{
    (void)m;
    if (lies == 0)
        return WEFT_NOT_OWNER;
    lies--;
    return WEFT_OK;
}

static enum weft_status
lie_seldom(void *m)
{
    return lies > 0 || now(m) ? lie(m) : lock(m);
}

static enum weft_status
try_seldom(void *m)
{
    return lies > 0 ? lie_try(m) : trylock(m);
}

static enum weft_status
until_seldom(void *m, weft_deadline deadline)
{
    return lies > 0 ? lie_until(m, deadline) : until(m, deadline);
}

static enum weft_status
unlock_or_unlie(void *m)
{
    return lies > 0 ? unlie(m) : unlock(m);
}

static enum weft_status
unlock_for_all(void *m)
{
    weft_mutex_unlock(m_of(m));
    return WEFT_OK;
}

static enum weft_status
too_early(void *m, weft_deadline deadline)
{
    if (deadline != WEFT_FOREVER && deadline != WEFT_NOW)
        deadline -= 1000000;
    return weft_mutex_lock_until(m_of(m), deadline);
}

static enum weft_status
lock_own(void *m)
{
    weft_mutex_lock(m_of(m));
    return WEFT_OK;
}

/* Once in a while a thread is never woken. */
static enum weft_status
forget_one(void *m)
{
    while (now(m))
        pause();
    return lock(m);
}

static bool
always(const void *m)
{
    (void)m;
    return true;
}

static enum weft_status
rlock(void *m)
{
    return weft_rmutex_lock(r_of(m));
}

static enum weft_status
rtrylock(void *m)
{
    return weft_rmutex_trylock(r_of(m));
}

static enum weft_status
runtil(void *m, weft_deadline deadline)
{
    return weft_rmutex_lock_until(r_of(m), deadline);
}

static enum weft_status
runlock(void *m)
{
    return weft_rmutex_unlock(r_of(m));
}

static bool
ris_locked(const void *m)
{
    return weft_rmutex_is_locked(r_of(m));
}

static uint64_t
rowner(const void *m)
{
    return lies > 0 ? 1 : weft_rmutex_owner(r_of(m));
}

static uint32_t
rdepth(const void *m)
{
    return weft_rmutex_depth(r_of(m));
}

static uint32_t
wrong_depth(const void *m)
{
    const uint32_t depth = rdepth(m);

    return depth > 2 ? 2 : depth;
}

/* The first unlock frees it; those that follow do nothing. */
static enum weft_status
unlock_at_once(void *m)
{
    if (lies > 0)
        return unlie(m);
    if (rdepth(m) == 0)
        return WEFT_NOT_OWNER;
    lies = rdepth(m) - 1;
    while (rdepth(m) > 0)
        runlock(m);
    return WEFT_OK;
}

const struct soak_mutex_ops mutex_lets_in = {
    lie, lie_try, lie_until, unlie, is_locked, owner, NULL};
const struct soak_mutex_ops mutex_lets_in_seldom = {
    lie_seldom, try_seldom, until_seldom, unlock_or_unlie,
    is_locked,  owner,      NULL};
const struct soak_mutex_ops mutex_unlocks_for_all = {
    lock, trylock, until, unlock_for_all, is_locked, owner, NULL};
const struct soak_mutex_ops mutex_times_out_early = {
    lock, trylock, too_early, unlock, is_locked, owner, NULL};
const struct soak_mutex_ops mutex_locks_its_own = {
    lock_own, trylock, until, unlock, is_locked, owner, NULL};
const struct soak_mutex_ops mutex_forgets_one = {
    forget_one, trylock, until, unlock, is_locked, owner, NULL};
const struct soak_mutex_ops mutex_never_free = {lock,   trylock, until, unlock,
                                                always, owner,   NULL};
const struct soak_mutex_ops rmutex_wrong_depth = {
    rlock, rtrylock, runtil, runlock, ris_locked, rowner, wrong_depth};
const struct soak_mutex_ops rmutex_unlocks_at_once = {
    rlock, rtrylock, runtil, unlock_at_once, always, rowner, rdepth};
