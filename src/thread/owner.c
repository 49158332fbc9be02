/* SPDX-License-Identifier: MIT */
/*
 * owner.c - who has what somebody waits for.
 *
 * Between the look at a thread and the look at the object the thread may have
 * got it, and freed it.  So the object is not read but copied by the kernel,
 * which says so if there is none; the copy is asked for its owner.  Where the
 * system forbids that call, no owner is known.
 */
#include "thread/snapshot.h"

#include <sys/uio.h>
#include <unistd.h>

#include <weft/mutex.h>
#include <weft/once.h>
#include <weft/rwlock.h>

#include "sync/mutex_impl.h"
#include "sync/rwlock_word.h"
#include "thread/thread.h"

/* Copy an object that may be gone. */
static bool
copy_object(const void *object, void *copy, size_t bytes)
{
    /* The kernel only reads through it. */
    struct iovec from = {(void *)(uintptr_t)object, bytes};
    struct iovec to = {copy, bytes};

    return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == (ssize_t)bytes;
}

uint32_t
weft_owner_tag_of_(struct weft_lock_view lock)
{
    weft_mutex mutex;
    weft_rwlock rwlock;
    weft_once once;

    switch (lock.kind) {
    case WEFT_KIND_MUTEX:
    case WEFT_KIND_RMUTEX: /* begins with one */
        if (copy_object(lock.object, &mutex, sizeof(mutex)))
            return weft_mutex_owner_in_(
                atomic_load_explicit(&mutex.word, memory_order_relaxed));
        return 0;
    case WEFT_KIND_READ:
    case WEFT_KIND_WRITE: /* the writer; readers are noted by themselves */
        if (copy_object(lock.object, &rwlock, sizeof(rwlock)))
            return atomic_load_explicit(&rwlock.owner, memory_order_relaxed);
        return 0;
    case WEFT_KIND_ONCE: /* who runs its function: beside three flags, a tag */
        if (copy_object(lock.object, &once, sizeof(once)))
            return atomic_load_explicit(&once.word, memory_order_relaxed) & ~7u;
        return 0;
    case WEFT_KIND_NONE:
    case WEFT_KIND_SPIN:
    case WEFT_KIND_SEMAPHORE:
    case WEFT_KIND_EVENT:
    case WEFT_KIND_COND:
    case WEFT_KIND_BARRIER:
    case WEFT_KIND_THREAD:
    case WEFT_KIND_TIMER:
    case WEFT_KIND_QUEUE:
    case WEFT_KIND_FUTURE:
    case WEFT_KIND_TASK:
    case WEFT_KIND_WORK:
    case WEFT_KIND_COUNT:
        break;
    }
    return 0;
}

uint64_t
weft_joined_id_of_(const void *thread)
{
    uint64_t id;

    if (copy_object(&weft_thread_self_(thread)->id, &id, sizeof(id)))
        return id;
    return 0;
}

bool
weft_readers_are_shut_out_(const void *rwlock)
{
    weft_rwlock copy;

    return copy_object(rwlock, &copy, sizeof(copy)) &&
           weft_rwlock_is_shut_(
               atomic_load_explicit(&copy.word, memory_order_relaxed));
}

uint64_t
weft_owner_of_(struct weft_lock_view lock)
{
    if (lock.kind == WEFT_KIND_THREAD) /* it has itself */
        return weft_joined_id_of_(lock.object);
    return weft_self_id_of_(weft_owner_tag_of_(lock));
}
