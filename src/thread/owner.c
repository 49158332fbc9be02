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

/* Copy an object that may be gone. */
static bool
copy_object(const void *object, void *copy, size_t bytes)
{
    /* The kernel only reads through it. */
    struct iovec from = {(void *)(uintptr_t)object, bytes};
    struct iovec to = {copy, bytes};

    return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == (ssize_t)bytes;
}

uint64_t
weft_owner_of_(struct weft_lock_view lock)
{
    weft_mutex mutex;

    switch (lock.kind) {
    case WEFT_KIND_MUTEX:
    case WEFT_KIND_RMUTEX: /* begins with one */
        if (copy_object(lock.object, &mutex, sizeof(mutex)))
            return weft_mutex_owner(&mutex);
        return 0;
    case WEFT_KIND_NONE:
    case WEFT_KIND_READ:
    case WEFT_KIND_WRITE:
    case WEFT_KIND_SEMAPHORE:
    case WEFT_KIND_EVENT:
    case WEFT_KIND_COND:
    case WEFT_KIND_BARRIER:
    case WEFT_KIND_ONCE:
    case WEFT_KIND_THREAD:
    case WEFT_KIND_TIMER:
    case WEFT_KIND_COUNT:
        break;
    }
    return 0;
}
