/* SPDX-License-Identifier: MIT */
/*
 * soak_broken_shared.c - read-write locks and conditions that are right but for
 * one thing.
 */
#include <weft/cond.h>
#include <weft/rwlock.h>

#include "soak_broken.h"

#define SELDOM 100

static bool
now(_Atomic unsigned *calls)
{
    return atomic_fetch_add_explicit(calls, 1, memory_order_relaxed) % SELDOM ==
           SELDOM - 1;
}

/* --- read-write locks ---------------------------------------------------- */

struct rwlock {
    weft_rwlock real;
    _Atomic unsigned calls;
};

/* This thread is in without the lock, to read or to write. */
static _Thread_local unsigned reads;
static _Thread_local bool writes;

static enum weft_status
read_lock(void *object, weft_deadline deadline)
{
    struct rwlock *l = object;

    return weft_rwlock_read_lock_until(&l->real, deadline);
}

static enum weft_status
write_lock(void *object, weft_deadline deadline)
{
    struct rwlock *l = object;

    return weft_rwlock_write_lock_until(&l->real, deadline);
}

static enum weft_status
read_unlock(void *object)
{
    struct rwlock *l = object;

    if (reads == 0)
        return weft_rwlock_read_unlock(&l->real);
    reads--;
    return WEFT_OK;
}

static enum weft_status
write_unlock(void *object)
{
    struct rwlock *l = object;

    if (!writes)
        return weft_rwlock_write_unlock(&l->real);
    writes = false;
    return WEFT_OK;
}

static enum weft_status
let_reader_in(void *object, weft_deadline deadline)
{
    struct rwlock *l = object;

    if (writes || (reads == 0 && !now(&l->calls)))
        return read_lock(object, deadline);
    reads++;
    return WEFT_OK;
}

static enum weft_status
let_writer_in(void *object, weft_deadline deadline)
{
    struct rwlock *l = object;

    if (!now(&l->calls))
        return write_lock(object, deadline);
    writes = true;
    return WEFT_OK;
}

static enum weft_status
upgrade(void *object, weft_deadline deadline)
{
    const enum weft_status status = write_lock(object, deadline);

    return status == WEFT_DEADLOCK ? WEFT_OK : status;
}

static enum weft_status
unlock_for_all(void *object)
{
    read_unlock(object);
    return WEFT_OK;
}

static enum weft_status
too_early(void *object, weft_deadline deadline)
{
    if (deadline != WEFT_FOREVER && deadline != WEFT_NOW)
        deadline -= 1000000;
    return write_lock(object, deadline);
}

const struct soak_rwlock_ops rwlock_lets_reader_in = {
    let_reader_in, read_unlock, write_lock, write_unlock};
const struct soak_rwlock_ops rwlock_lets_writer_in = {
    read_lock, read_unlock, let_writer_in, write_unlock};
const struct soak_rwlock_ops rwlock_upgrades = {read_lock, read_unlock, upgrade,
                                                write_unlock};
const struct soak_rwlock_ops rwlock_unlocks_for_all = {
    read_lock, unlock_for_all, write_lock, write_unlock};
const struct soak_rwlock_ops rwlock_times_out_early = {read_lock, read_unlock,
                                                       too_early, write_unlock};

/* --- conditions ---------------------------------------------------------- */

struct cond {
    weft_cond real;
    weft_mutex mutex;
    _Atomic unsigned calls;
};

static void
init(void *object)
{
    struct cond *c = object;

    weft_mutex_init(&c->mutex);
    weft_cond_init(&c->real, &c->mutex);
}

static enum weft_status
lock(void *object)
{
    return weft_mutex_lock(&((struct cond *)object)->mutex);
}

static enum weft_status
unlock(void *object)
{
    return weft_mutex_unlock(&((struct cond *)object)->mutex);
}

static enum weft_status
wait(void *object, weft_deadline deadline)
{
    return weft_cond_wait(&((struct cond *)object)->real, deadline);
}

static enum weft_status
notify(void *object, size_t n)
{
    return weft_cond_notify(&((struct cond *)object)->real, n);
}

static enum weft_status
notify_all(void *object)
{
    return weft_cond_notify_all(&((struct cond *)object)->real);
}

static enum weft_status
notify_more(void *object, size_t n)
{
    return notify(object, n + 1);
}

static enum weft_status
notify_less(void *object, size_t n)
{
    struct cond *c = object;

    return notify(object, n > 0 && now(&c->calls) ? n - 1 : n);
}

static enum weft_status
notify_one(void *object)
{
    return notify(object, 1);
}

static enum weft_status
wait_without_reason(void *object, weft_deadline deadline)
{
    struct cond *c = object;

    return now(&c->calls) ? WEFT_OK : wait(object, deadline);
}

static enum weft_status
wait_and_deny(void *object, weft_deadline deadline)
{
    const enum weft_status status = wait(object, deadline);
    const bool finite = deadline != WEFT_FOREVER;

    return status == WEFT_OK && finite ? WEFT_TIMEOUT : status;
}

/* Forgets to take the lock again. */
static enum weft_status
wait_and_lose(void *object, weft_deadline deadline)
{
    struct cond *c = object;
    const enum weft_status status = wait(object, deadline);

    if (now(&c->calls))
        unlock(object);
    return status;
}

const struct soak_cond_ops cond_tells_more = {init, lock,        unlock,
                                              wait, notify_more, notify_all};
const struct soak_cond_ops cond_tells_less = {init, lock,        unlock,
                                              wait, notify_less, notify_all};
const struct soak_cond_ops cond_tells_one = {init, lock,   unlock,
                                             wait, notify, notify_one};
const struct soak_cond_ops cond_without_reason = {
    init, lock, unlock, wait_without_reason, notify, notify_all};
const struct soak_cond_ops cond_denies = {init,          lock,   unlock,
                                          wait_and_deny, notify, notify_all};
const struct soak_cond_ops cond_loses_lock = {
    init, lock, unlock, wait_and_lose, notify, notify_all};
