/* SPDX-License-Identifier: MIT */
/*
 * sync_cond.c - the condition: who waits is told in the order they came, as
 * many as are notified, and nobody else returns.
 *
 * Beside the condition there is a list of those who wait, kept by them and by
 * those who notify, all holding the lock.  A wait returns OK if and only if the
 * thread is marked there as told; one that was told and is cancelled passes
 * that on.  The first thread only notifies, so that nobody waits for ever.
 */
#include <weft/cond.h>

#include "soak/sync.h"
#include "soak/sync_ops.h"

#define NOTIFY_MOST 4

enum { TOLD, TIMED_OUT, CANCELLED };

/* One that waits, in its own frame. */
struct ticket {
    struct state *s;
    const struct soak_cond_ops *ops;
    struct ticket *next;
    bool told;
    bool returned;
};

struct state {
    alignas(128) unsigned char object[SOAK_OBJECT_BYTES];
    struct ticket *first;
    bool over;
};

static void
lock(struct soak_hand *h, struct state *s, const struct soak_cond_ops *ops)
{
    soak_at(h, "lock");
    if (ops->lock(s->object) != WEFT_OK)
        soak_fault(h->run, "the lock cannot be locked");
}

static void
unlock(struct soak_hand *h, struct state *s, const struct soak_cond_ops *ops)
{
    if (ops->unlock(s->object) != WEFT_OK)
        soak_fault(h->run, "a thread came back from a wait without the lock");
}

static void
append(struct state *s, struct ticket *t)
{
    struct ticket **last = &s->first;

    while (*last != NULL)
        last = &(*last)->next;
    *last = t;
}

static void
take_out(struct state *s, const struct ticket *t)
{
    struct ticket **at = &s->first;

    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
}

/* Mark the first `n` that were not told. */
static void
mark(struct state *s, size_t n)
{
    for (struct ticket *t = s->first; t != NULL && n > 0; t = t->next) {
        n -= !t->told;
        t->told = true;
    }
}

/* With the lock. */
static void
notify(struct soak_hand *h, struct state *s, const struct soak_cond_ops *ops)
{
    const bool all = soak_one_in(h, 8);
    const size_t n = all ? SIZE_MAX : soak_below(h, NOTIFY_MOST);

    mark(s, n);
    if ((all ? ops->notify_all(s->object) : ops->notify(s->object, n)) !=
        WEFT_OK)
        soak_fault(h->run, "notify of who holds the lock failed");
}

static void
wait_once(struct soak_hand *h, struct state *s, const struct soak_cond_ops *ops)
{
    const weft_deadline deadline = soak_deadline(h);
    struct ticket t = {.s = s};

    if (deadline != WEFT_NOW)
        append(s, &t);
    soak_at(h, "wait");
    const enum weft_status status = ops->wait(s->object, deadline);
    if (deadline != WEFT_NOW)
        take_out(s, &t);
    if (status == WEFT_TIMEOUT) {
        soak_timed_out(h, deadline);
        h->tally[TIMED_OUT]++;
        if (t.told)
            soak_fault(h->run, "thread %u was told, and timed out", h->index);
    } else if (status != WEFT_OK) {
        soak_fault(h->run, "wait returned %s", weft_status_name(status));
    } else {
        h->tally[TOLD]++;
        if (!t.told)
            soak_fault(h->run, "thread %u returned, and was not told",
                       h->index);
    }
}

/* The lock is held again; was it told, somebody else is now. */
static void
clean_up(void *arg)
{
    struct ticket *t = arg;

    take_out(t->s, t);
    if (t->told && !t->returned)
        mark(t->s, 1);
    t->ops->unlock(t->s->object);
}

static void *
be_victim(void *arg)
{
    struct ticket *t = arg;

    if (t->ops->lock(t->s->object) != WEFT_OK)
        return NULL;
    append(t->s, t);
    pthread_cleanup_push(clean_up, t);
    if (!t->s->over) {
        t->ops->wait(t->s->object, WEFT_FOREVER);
        t->returned = true;
    }
    pthread_cleanup_pop(1);
    return NULL;
}

static void
cancel_one(struct soak_hand *h, struct state *s,
           const struct soak_cond_ops *ops)
{
    struct ticket t = {.s = s, .ops = ops};

    soak_at(h, "the end of a cancelled wait");
    h->tally[CANCELLED] += soak_cancel(h, be_victim, &t);
}

static void
be_waiter(struct soak_hand *h, struct state *s, const struct soak_cond_ops *ops)
{
    bool over = false;

    for (; !over && !soak_has_failed(h); soak_turn(h)) {
        soak_pause(h);
        if (soak_one_in(h, 128))
            cancel_one(h, s, ops);
        lock(h, s, ops);
        if (soak_one_in(h, 4))
            notify(h, s, ops);
        over = s->over;
        if (!over)
            wait_once(h, s, ops);
        unlock(h, s, ops);
    }
}

static void
body(struct soak_hand *h)
{
    struct state *s = h->state;
    const struct soak_cond_ops *ops = h->run->subject->ops;

    if (h->index != 0) {
        be_waiter(h, s, ops);
        return;
    }
    for (; soak_goes_on(h); soak_turn(h)) {
        soak_pause(h);
        lock(h, s, ops);
        notify(h, s, ops);
        unlock(h, s, ops);
        if (ops->notify(s->object, 1) != WEFT_NOT_OWNER)
            soak_fault(h->run, "notify without the lock went through");
    }
    lock(h, s, ops);
    s->over = true;
    mark(s, SIZE_MAX);
    ops->notify_all(s->object);
    unlock(h, s, ops);
}

static bool
open_state(struct soak_run *run, void *state)
{
    const struct soak_cond_ops *ops = run->subject->ops;

    ops->init(((struct state *)state)->object);
    return true;
}

struct with_mutex {
    weft_cond cond;
    weft_mutex mutex;
};

struct with_rmutex {
    weft_cond cond;
    weft_rmutex mutex;
};

static weft_cond *
cond_of(void *c)
{
    return c;
}

static void
m_init(void *c)
{
    struct with_mutex *w = c;

    weft_mutex_init(&w->mutex);
    weft_cond_init(&w->cond, &w->mutex);
}

static enum weft_status
m_lock(void *c)
{
    return weft_mutex_lock(&((struct with_mutex *)c)->mutex);
}

static enum weft_status
m_unlock(void *c)
{
    return weft_mutex_unlock(&((struct with_mutex *)c)->mutex);
}

static enum weft_status
m_wait(void *c, weft_deadline deadline)
{
    return weft_cond_wait(cond_of(c), deadline);
}

static enum weft_status
m_notify(void *c, size_t n)
{
    return weft_cond_notify(cond_of(c), n);
}

static enum weft_status
m_notify_all(void *c)
{
    return weft_cond_notify_all(cond_of(c));
}

static void
r_init(void *c)
{
    struct with_rmutex *w = c;

    weft_rmutex_init(&w->mutex);
    weft_cond_init_r(&w->cond, &w->mutex);
}

/* Twice: a wait has to let go of both, and to take both again. */
static enum weft_status
r_lock(void *c)
{
    struct with_rmutex *w = c;
    const enum weft_status status = weft_rmutex_lock(&w->mutex);

    return status == WEFT_OK ? weft_rmutex_lock(&w->mutex) : status;
}

static enum weft_status
r_unlock(void *c)
{
    struct with_rmutex *w = c;
    const enum weft_status status = weft_rmutex_unlock(&w->mutex);

    return status == WEFT_OK ? weft_rmutex_unlock(&w->mutex) : status;
}

static enum weft_status
r_wait(void *c, weft_deadline deadline)
{
    struct with_rmutex *w = c;
    const enum weft_status status = weft_cond_wait(&w->cond, deadline);

    return weft_rmutex_depth(&w->mutex) == 2 ? status : WEFT_INVALID;
}

static const struct soak_cond_ops mutex_ops = {m_init, m_lock,   m_unlock,
                                               m_wait, m_notify, m_notify_all};
static const struct soak_cond_ops rmutex_ops = {r_init, r_lock,   r_unlock,
                                                r_wait, m_notify, m_notify_all};

const struct soak_subject soak_cond = {
    .name = "cond",
    .tallies = {"told", "timed out", "cancelled"},
    .least_threads = 2,
    .bytes = sizeof(struct state),
    .ops = &mutex_ops,
    .open = open_state,
    .body = body,
};

const struct soak_subject soak_rcond = {
    .name = "rcond",
    .tallies = {"told", "timed out", "cancelled"},
    .least_threads = 2,
    .bytes = sizeof(struct state),
    .ops = &rmutex_ops,
    .open = open_state,
    .body = body,
};
