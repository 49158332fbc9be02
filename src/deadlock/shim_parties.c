/* SPDX-License-Identifier: MIT */
/*
 * shim_parties.c - who has come to a barrier so far.
 *
 * Ordering.
 *
 *     parties    who had the table before  ->  who has it now
 */
#include <sched.h>

#include "deadlock/shim_parties.h"

#define ROOM    256 /* barriers */
#define TRIES   8
#define PARTIES 32

struct parties {
    uintptr_t barrier; /* 0: free */
    uint32_t wanted;
    uint32_t count; /* of those who came; more than wanted: different ones */
    bool is_met;
    uint64_t id[PARTIES];
};

static struct parties table[ROOM];
static _Atomic bool taken;

static void
take(void)
{
    /* acquire: parties */
    while (atomic_exchange_explicit(&taken, true, memory_order_acquire))
        sched_yield();
}

static void
leave(void)
{
    /* release: parties */
    atomic_store_explicit(&taken, false, memory_order_release);
}

/* The entry of a barrier, or of 0 a free one for it; NULL: there is none. */
static struct parties *
find(const void *barrier, uintptr_t key)
{
    const uint32_t at =
        (uint32_t)((uintptr_t)barrier >> 4) * UINT32_C(2654435761);

    for (uint32_t i = 0; i < TRIES; i++)
        if (table[(at + i) % ROOM].barrier == key)
            return &table[(at + i) % ROOM];
    return NULL;
}

static struct parties *
entry_of(const void *barrier)
{
    return find(barrier, (uintptr_t)barrier);
}

static bool
has(const struct parties *p, uint64_t id)
{
    for (uint32_t i = 0; i < p->count && i < PARTIES; i++)
        if (p->id[i] == id)
            return true;
    return false;
}

void
weft_shim_comes_(const struct weft_shim_thread *t, const pthread_barrier_t *b)
{
    const uint64_t id = atomic_load_explicit(&t->id, memory_order_relaxed);
    unsigned words[4]; /* of glibc: the third is how many it wants */

    if (t == &weft_shim_nobody_)
        return;
    take();
    struct parties *p = entry_of(b);
    if (p == NULL && (p = find(b, 0)) != NULL)
        *p = (struct parties){
            .barrier = (uintptr_t)b,
            .wanted = weft_shim_peek_(b, words, sizeof(words)) ? words[2] : 0,
        };
    if (p != NULL && !has(p, id) && p->count <= p->wanted) {
        if (p->count < PARTIES)
            p->id[p->count] = id;
        p->count++;
    }
    leave();
}

void
weft_shim_met_(const void *barrier)
{
    take();
    struct parties *p = entry_of(barrier);
    if (p != NULL)
        p->is_met = true;
    leave();
}

void
weft_shim_barrier_begins_(const void *barrier)
{
    take();
    struct parties *p = entry_of(barrier);
    if (p != NULL)
        p->barrier = 0;
    leave();
}

bool
weft_shim_has_parties_(const void *barrier)
{
    take();
    const struct parties *p = entry_of(barrier);
    const bool is =
        p != NULL && p->is_met && p->count == p->wanted && p->count <= PARTIES;
    leave();
    return is;
}

bool
weft_shim_is_party_(const void *barrier, uint64_t id)
{
    take();
    const struct parties *p = entry_of(barrier);
    const bool is = p != NULL && has(p, id);
    leave();
    return is;
}

void
weft_shim_parties_forked_(void)
{
    leave();
}
