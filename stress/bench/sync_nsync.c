/* SPDX-License-Identifier: MIT */
/*
 * sync_nsync.c - nsync's mutex, read-write lock, notification, condition and
 * once.  Zero bytes are valid ones of the first two and the condition.
 */
#include "bench/sync_nsync.h"

#include <nsync.h>

#include "bench/sync_loops.h"

static bool
init_nothing(void *object, const struct sync_load *load, int kind)
{
    (void)object;
    (void)load;
    (void)kind;
    return true;
}

SYNC_INLINE void
lock(struct sync_hand *h, void *object)
{
    (void)h;
    nsync_mu_lock(object);
}

SYNC_INLINE void
unlock(struct sync_hand *h, void *object)
{
    (void)h;
    nsync_mu_unlock(object);
}

SYNC_INLINE void
read_lock(struct sync_hand *h, void *object)
{
    (void)h;
    nsync_mu_rlock(object);
}

SYNC_INLINE void
read_unlock(struct sync_hand *h, void *object)
{
    (void)h;
    nsync_mu_runlock(object);
}

SYNC_WORK(work_mutex, .enter = lock, .leave = unlock)
SYNC_WORK(work_rwlock, .enter = read_lock, .leave = read_unlock,
          .write_enter = lock, .write_leave = unlock)

/* A notification is set once and stays so. */
static bool
init_note(void *object, const struct sync_load *load, int kind)
{
    nsync_note *note = object;

    (void)load;
    (void)kind;
    *note = nsync_note_new(NULL, nsync_time_no_deadline);
    if (*note != NULL)
        nsync_note_notify(*note);
    return *note != NULL;
}

static void
free_note(void *object)
{
    nsync_note *note = object;

    nsync_note_free(*note);
}

SYNC_INLINE void
is_notified(struct sync_hand *h, void *object)
{
    nsync_note *note = object;

    h->wrong += nsync_note_is_notified(*note) == 0;
}

SYNC_WORK(work_note, .call = is_notified)

struct turns {
    nsync_mu mu;
    nsync_cv cv[2];
    bool is_set[2];
};

SYNC_INLINE void
signal_side(struct sync_hand *h, void *object, unsigned side)
{
    struct turns *t = object;

    (void)h;
    nsync_mu_lock(&t->mu);
    t->is_set[side] = true;
    nsync_mu_unlock(&t->mu);
    nsync_cv_signal(&t->cv[side]);
}

SYNC_INLINE void
await_side(struct sync_hand *h, void *object, unsigned side)
{
    struct turns *t = object;

    (void)h;
    nsync_mu_lock(&t->mu);
    while (!t->is_set[side])
        nsync_cv_wait(&t->cv[side], &t->mu);
    t->is_set[side] = false;
    nsync_mu_unlock(&t->mu);
}

/* Nobody waits. */
SYNC_INLINE void
signal_nobody(struct sync_hand *h, void *object)
{
    struct turns *t = object;

    (void)h;
    nsync_cv_signal(&t->cv[0]);
}

SYNC_WORK(work_cond, .signal = signal_side, .await = await_side,
          .call = signal_nobody)

static void
do_nothing(void)
{
}

SYNC_INLINE void
run_once(struct sync_hand *h, void *object)
{
    (void)h;
    nsync_run_once(object, do_nothing);
}

SYNC_WORK(work_once, .call = run_once)

#define NSYNC_VARIANT(label, type, begin, finish, run)                         \
    {                                                                          \
        .name = (label), .rival = true, .unseen = true, .bytes = sizeof(type), \
        .init = (begin), .destroy = (finish), .work = (run)                    \
    }

const struct sync_variant sync_nsync_mutex[] = {
    NSYNC_VARIANT("nsync mu", nsync_mu, init_nothing, NULL, work_mutex),
    {.name = NULL},
};
const struct sync_variant sync_nsync_rwlock[] = {
    NSYNC_VARIANT("nsync mu, shared", nsync_mu, init_nothing, NULL,
                  work_rwlock),
    {.name = NULL},
};
const struct sync_variant sync_nsync_event[] = {
    NSYNC_VARIANT("nsync note", nsync_note, init_note, free_note, work_note),
    {.name = NULL},
};
const struct sync_variant sync_nsync_cond[] = {
    NSYNC_VARIANT("nsync cv", struct turns, init_nothing, NULL, work_cond),
    {.name = NULL},
};
const struct sync_variant sync_nsync_once[] = {
    NSYNC_VARIANT("nsync once", nsync_once, init_nothing, NULL, work_once),
    {.name = NULL},
};
