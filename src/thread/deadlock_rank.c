/* SPDX-License-Identifier: MIT */
/*
 * deadlock_rank.c - locks that are to be taken in rising order.
 *
 * A table with open addressing, of which nothing is taken out: a reader needs
 * no lock.  Who gives a rank to a lock has done so before others get to see it.
 *
 * Ordering.
 *
 *     ranked   a rank is stored, then its lock  ->  who wants the lock reads it
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include <weft/deadlock.h>

#include "base/name.h"
#include "deadlock/watch.h"
#include "thread/deadlock.h"

#define SLOTS 2048
#define ROOM  1000

struct ranked {
    _Atomic(const void *) lock; /* NULL: free */
    _Atomic int rank;
};

static pthread_mutex_t writers = PTHREAD_MUTEX_INITIALIZER;
static struct ranked table[SLOTS];
static size_t count;
static _Atomic bool on;

static struct ranked *
slot_of(const void *lock)
{
    size_t at = (size_t)((uintptr_t)lock * UINT64_C(0x9e3779b97f4a7c15) >> 40);

    for (;; at++) {
        struct ranked *r = &table[at % SLOTS];
        /* acquire: ranked */
        const void *l = atomic_load_explicit(&r->lock, memory_order_acquire);
        if (l == NULL || l == lock)
            return r;
    }
}

/* Store the rank of a lock, if it has one. */
static bool
get_rank(const void *lock, int *rank)
{
    const struct ranked *r = slot_of(lock);

    *rank = atomic_load_explicit(&r->rank, memory_order_relaxed);
    return atomic_load_explicit(&r->lock, memory_order_relaxed) == lock;
}

static struct weft_dl_held
copy(const struct weft_held *h)
{
    return (struct weft_dl_held){
        .object = atomic_load_explicit(&h->object, memory_order_relaxed),
        .kind = (enum weft_kind)atomic_load_explicit(&h->kind,
                                                     memory_order_relaxed),
        .place.call[0] = atomic_load_explicit(&h->place, memory_order_relaxed)};
}

/* The thread of `s`, which calls, wants a lock. */
static void
look(struct weft_self *s, const void *object, enum weft_kind kind)
{
    struct weft_broken_rank b = {.thread = s->id,
                                 .wanted = {.object = object, .kind = kind}};
    const uint32_t n =
        atomic_load_explicit(&s->held_count, memory_order_relaxed);

    if (!get_rank(object, &b.wanted_rank))
        return;
    for (uint32_t i = 0; i < n && i < WEFT_HELD_MAX; i++) {
        b.held = copy(&s->held[i]);
        if (b.held.object == object || !get_rank(b.held.object, &b.held_rank) ||
            b.held_rank < b.wanted_rank)
            continue;
        b.name = weft_name_get_(s);
        b.wanted.place.call[0] = weft_watch_caller_;
        weft_deadlock_broken_(&b);
        return;
    }
}

/* Under the lock. */
static void
switch_over(void)
{
    const bool looks =
        count > 0 && atomic_load_explicit(&on, memory_order_relaxed);

    atomic_store_explicit(&weft_watch_tell_wanted_, looks ? look : NULL,
                          memory_order_relaxed);
    weft_watch_changed_();
}

void
weft_deadlock_ranks_(bool is_on)
{
    pthread_mutex_lock(&writers);
    atomic_store_explicit(&on, is_on, memory_order_relaxed);
    switch_over();
    pthread_mutex_unlock(&writers);
}

enum weft_status
weft_deadlock_rank(const void *lock, int rank)
{
    enum weft_status s = WEFT_OK;

    pthread_mutex_lock(&writers);
    struct ranked *r = slot_of(lock);
    const bool is_new =
        atomic_load_explicit(&r->lock, memory_order_relaxed) == NULL;
    if (is_new && count == ROOM) {
        s = WEFT_NO_MEMORY;
    } else {
        atomic_store_explicit(&r->rank, rank, memory_order_relaxed);
        /* release: ranked */
        atomic_store_explicit(&r->lock, lock, memory_order_release);
        count += is_new;
        switch_over();
    }
    pthread_mutex_unlock(&writers);
    return s;
}

static void
in_child(void)
{
    pthread_mutex_init(&writers, NULL);
}

__attribute__((constructor)) static void
begin(void)
{
    (void)pthread_atfork(NULL, NULL, in_child);
}
