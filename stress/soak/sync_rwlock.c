/* SPDX-License-Identifier: MIT */
/*
 * sync_rwlock.c - the read-write lock: a writer is alone, readers see nothing
 * half written, a reader may read again, and nobody waits for ever.
 */
#include <weft/rwlock.h>

#include "soak/sync.h"
#include "soak/sync_ops.h"

enum { READ, WRITTEN, GAVE_UP };

struct state {
    alignas(128) unsigned char object[SOAK_OBJECT_BYTES];
    alignas(128) _Atomic unsigned readers; /* inside */
    _Atomic unsigned writers;
    alignas(128) _Atomic uint64_t one; /* writers make them equal */
    _Atomic uint64_t other;
    uint64_t guarded; /* the same, for race detectors */
};

/* Whether it was locked. */
static bool
has_it(struct soak_hand *h, const char *call, enum weft_status status,
       weft_deadline deadline)
{
    if (status == WEFT_TIMEOUT) {
        soak_timed_out(h, deadline);
        h->tally[GAVE_UP]++;
    } else if (status != WEFT_OK) {
        soak_fault(h->run, "%s returned %s", call, weft_status_name(status));
    }
    return status == WEFT_OK;
}

static void
gives(struct soak_hand *h, const char *call, enum weft_status got,
      enum weft_status want)
{
    if (got != want)
        soak_fault(h->run, "%s returned %s, not %s", call,
                   weft_status_name(got), weft_status_name(want));
}

static void
look(struct soak_hand *h, struct state *s)
{
    const uint64_t one = atomic_load_explicit(&s->one, memory_order_relaxed);

    if (atomic_load_explicit(&s->writers, memory_order_relaxed) != 0)
        soak_fault(h->run, "thread %u reads while another writes", h->index);
    soak_pause(h);
    if (atomic_load_explicit(&s->other, memory_order_relaxed) != one ||
        (!h->run->subject->broken && s->guarded != one))
        soak_fault(h->run, "thread %u sees what is half written", h->index);
}

static void
read_once(struct soak_hand *h, struct state *s,
          const struct soak_rwlock_ops *ops)
{
    const weft_deadline deadline = soak_deadline(h);

    soak_at(h, "read_lock");
    if (!has_it(h, "read_lock", ops->read_lock(s->object, deadline), deadline))
        return;
    h->tally[READ]++;
    atomic_fetch_add_explicit(&s->readers, 1, memory_order_relaxed);
    look(h, s);
    if (soak_one_in(h, 8)) {
        soak_at(h, "read_lock again");
        gives(h, "read_lock again", ops->read_lock(s->object, WEFT_FOREVER),
              WEFT_OK);
        look(h, s);
        gives(h, "read_unlock", ops->read_unlock(s->object), WEFT_OK);
    }
    if (soak_one_in(h, 16))
        gives(h, "write_lock of a reader",
              ops->write_lock(s->object, WEFT_FOREVER), WEFT_DEADLOCK);
    look(h, s);
    atomic_fetch_sub_explicit(&s->readers, 1, memory_order_relaxed);
    soak_at(h, "read_unlock");
    gives(h, "read_unlock", ops->read_unlock(s->object), WEFT_OK);
}

static void
write_once(struct soak_hand *h, struct state *s,
           const struct soak_rwlock_ops *ops)
{
    const weft_deadline deadline = soak_deadline(h);

    soak_at(h, "write_lock");
    if (!has_it(h, "write_lock", ops->write_lock(s->object, deadline),
                deadline))
        return;
    h->tally[WRITTEN]++;
    if (atomic_fetch_add_explicit(&s->writers, 1, memory_order_relaxed) != 0)
        soak_fault(h->run, "two threads write");
    if (atomic_load_explicit(&s->readers, memory_order_relaxed) != 0)
        soak_fault(h->run, "thread %u writes while others read", h->index);
    soak_count(&s->one);
    soak_pause(h);
    if (!h->run->subject->broken)
        s->guarded++;
    soak_count(&s->other);
    if (soak_one_in(h, 16))
        gives(h, "read_lock of a writer",
              ops->read_lock(s->object, WEFT_FOREVER), WEFT_DEADLOCK);
    atomic_fetch_sub_explicit(&s->writers, 1, memory_order_relaxed);
    soak_at(h, "write_unlock");
    gives(h, "write_unlock", ops->write_unlock(s->object), WEFT_OK);
}

static void
body(struct soak_hand *h)
{
    struct state *s = h->state;
    const struct soak_rwlock_ops *ops = h->run->subject->ops;
    /* Now more readers, now more writers: the lock changes how it works. */
    unsigned writes_one_in = 2;

    for (; soak_goes_on(h); soak_turn(h)) {
        soak_pause(h);
        if (soak_one_in(h, 1000))
            writes_one_in = 2u << soak_below(h, 10);
        if (soak_one_in(h, 64))
            gives(h, "write_unlock of what it does not hold",
                  ops->write_unlock(s->object), WEFT_NOT_OWNER);
        if (soak_one_in(h, 64))
            gives(h, "read_unlock of what it does not hold",
                  ops->read_unlock(s->object), WEFT_NOT_OWNER);
        if (soak_one_in(h, writes_one_in))
            write_once(h, s, ops);
        else
            read_once(h, s, ops);
    }
}

static void
close_state(struct soak_run *run, void *state)
{
    struct state *s = state;
    uint64_t written = 0;

    for (unsigned i = 0; i < run->threads; i++)
        written += run->hands[i].tally[WRITTEN];
    const uint64_t counted =
        atomic_load_explicit(&s->one, memory_order_relaxed);
    if (counted != written)
        soak_fault(run, "%llu writes counted to %llu",
                   (unsigned long long)written, (unsigned long long)counted);
}

static enum weft_status
read_lock(void *l, weft_deadline deadline)
{
    return deadline == WEFT_FOREVER ? weft_rwlock_read_lock(l)
                                    : weft_rwlock_read_lock_until(l, deadline);
}

static enum weft_status
read_unlock(void *l)
{
    return weft_rwlock_read_unlock(l);
}

static enum weft_status
write_lock(void *l, weft_deadline deadline)
{
    return deadline == WEFT_FOREVER ? weft_rwlock_write_lock(l)
                                    : weft_rwlock_write_lock_until(l, deadline);
}

static enum weft_status
write_unlock(void *l)
{
    return weft_rwlock_write_unlock(l);
}

static const struct soak_rwlock_ops ops = {read_lock, read_unlock, write_lock,
                                           write_unlock};

const struct soak_subject soak_rwlock = {
    .name = "rwlock",
    .tallies = {"read", "written", "gave up"},
    .least_threads = 2,
    .bytes = sizeof(struct state),
    .ops = &ops,
    .body = body,
    .close = close_state,
};
