/* SPDX-License-Identifier: MIT */
/*
 * deadlock/kind.h - what a thread can wait for or hold.
 */
#ifndef WEFT_DEADLOCK_KIND_H
#define WEFT_DEADLOCK_KIND_H

enum weft_kind {
    WEFT_KIND_NONE,
    WEFT_KIND_MUTEX,
    WEFT_KIND_RMUTEX,
    WEFT_KIND_READ,  /* a read-write lock, to read */
    WEFT_KIND_WRITE, /* the same, to write */
    WEFT_KIND_SPIN,
    WEFT_KIND_SEMAPHORE,
    WEFT_KIND_EVENT,
    WEFT_KIND_COND,
    WEFT_KIND_BARRIER,
    WEFT_KIND_ONCE,
    WEFT_KIND_THREAD, /* a join */
    WEFT_KIND_TIMER,  /* the same */
    WEFT_KIND_QUEUE,  /* room, an item, or a join */
    WEFT_KIND_FUTURE, /* one, or the first of several */
    WEFT_KIND_TASK, /* of a pool: one that another thread has begun, or will */
    WEFT_KIND_WORK, /* any: a worker that has none */
    WEFT_KIND_COUNT
};

/* Return the name of `kind`, as a report writes it: "mutex". */
const char *weft_kind_name_(enum weft_kind kind);

#endif /* WEFT_DEADLOCK_KIND_H */
