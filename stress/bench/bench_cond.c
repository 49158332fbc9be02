/* SPDX-License-Identifier: MIT */
/*
 * bench_cond.c - weft_cond beside the condition of pthreads, told with the lock
 * held and after it.
 */
#include <pthread.h>

#include <weft/cond.h>

#include "bench/sync_loops.h"
#include "bench/sync_nsync.h"
#include "scenario.h"

enum kind { HELD, AFTER };

struct weft_set {
    alignas(128) weft_mutex lock;
    weft_cond changed[2];
    bool open[2];
};

struct posix_set {
    alignas(128) pthread_mutex_t lock;
    pthread_cond_t changed[2];
    bool open[2];
    enum kind kind;
};

static bool
weft_init(void *object, const struct sync_load *load, int kind)
{
    struct weft_set *s = object;

    (void)load;
    (void)kind;
    weft_mutex_init(&s->lock);
    weft_cond_init(&s->changed[0], &s->lock);
    weft_cond_init(&s->changed[1], &s->lock);
    return true;
}

/* A call is made with the lock held; the other jobs take it themselves. */
SYNC_INLINE void
weft_begin(struct sync_hand *h, void *object)
{
    struct weft_set *s = object;

    if (h->run->load->job == SYNC_CALL)
        weft_mutex_lock(&s->lock);
}

SYNC_INLINE void
weft_end(struct sync_hand *h, void *object)
{
    struct weft_set *s = object;

    if (h->run->load->job == SYNC_CALL)
        weft_mutex_unlock(&s->lock);
}

SYNC_INLINE void
weft_nobody(struct sync_hand *h, void *object)
{
    struct weft_set *s = object;

    h->wrong += weft_cond_notify(&s->changed[0], 1) != WEFT_OK;
}

SYNC_INLINE void
weft_signal(struct sync_hand *h, void *object, unsigned side)
{
    struct weft_set *s = object;

    weft_mutex_lock(&s->lock);
    s->open[side] = true;
    h->wrong += weft_cond_notify(&s->changed[side], 1) != WEFT_OK;
    weft_mutex_unlock(&s->lock);
}

SYNC_INLINE void
weft_await(struct sync_hand *h, void *object, unsigned side)
{
    struct weft_set *s = object;

    weft_mutex_lock(&s->lock);
    while (!s->open[side])
        h->wrong += weft_cond_wait(&s->changed[side], WEFT_FOREVER) != WEFT_OK;
    s->open[side] = false;
    weft_mutex_unlock(&s->lock);
}

static bool
posix_init(void *object, const struct sync_load *load, int kind)
{
    struct posix_set *s = object;

    (void)load;
    s->kind = (enum kind)kind;
    return pthread_mutex_init(&s->lock, NULL) == 0 &&
           pthread_cond_init(&s->changed[0], NULL) == 0 &&
           pthread_cond_init(&s->changed[1], NULL) == 0;
}

SYNC_INLINE void
posix_nobody(struct sync_hand *h, void *object)
{
    struct posix_set *s = object;

    (void)h;
    pthread_cond_signal(&s->changed[0]);
}

SYNC_INLINE void
posix_signal(struct sync_hand *h, void *object, unsigned side)
{
    struct posix_set *s = object;
    const enum kind kind = s->kind;

    (void)h;
    pthread_mutex_lock(&s->lock);
    s->open[side] = true;
    if (kind == HELD)
        pthread_cond_signal(&s->changed[side]);
    pthread_mutex_unlock(&s->lock);
    if (kind == AFTER)
        pthread_cond_signal(&s->changed[side]);
}

SYNC_INLINE void
posix_await(struct sync_hand *h, void *object, unsigned side)
{
    struct posix_set *s = object;

    (void)h;
    pthread_mutex_lock(&s->lock);
    while (!s->open[side])
        pthread_cond_wait(&s->changed[side], &s->lock);
    s->open[side] = false;
    pthread_mutex_unlock(&s->lock);
}

SYNC_WORK(work_weft, .begin = weft_begin, .end = weft_end, .call = weft_nobody,
          .signal = weft_signal, .await = weft_await)
SYNC_WORK(work_posix, .call = posix_nobody, .signal = posix_signal,
          .await = posix_await)

static const struct sync_variant variants[] = {
    {.name = "weft_cond",
     .bytes = sizeof(struct weft_set),
     .init = weft_init,
     .work = work_weft},
    {.name = "pthread cond, held",
     .note = "signalled with the lock held",
     .rival = true,
     .baseline = true,
     .kind = HELD,
     .bytes = sizeof(struct posix_set),
     .init = posix_init,
     .work = work_posix},
    {.name = "pthread cond, after",
     .note = "signalled after the unlock",
     .rival = true,
     .kind = AFTER,
     .bytes = sizeof(struct posix_set),
     .init = posix_init,
     .work = work_posix},
    {.name = NULL},
};

static const struct sync_table tables[] = {
    {.name = "nobody",
     .title = "to tell nobody",
     .variants = variants,
     .job = SYNC_CALL,
     .threads = {1},
     .more = sync_nsync_cond},
    {.name = "one-cpu",
     .title = "there and back, one CPU",
     .variants = variants,
     .job = SYNC_PING,
     .threads = {2},
     .place = SYNC_ONE_CPU,
     .more = sync_nsync_cond},
    {.name = "two-cpus",
     .title = "there and back, two CPUs",
     .variants = variants,
     .job = SYNC_PING,
     .threads = {2},
     .place = SYNC_TWO_CPUS,
     .more = sync_nsync_cond},
    {.name = "idle",
     .title = "CPU time of a wait of 100 ms",
     .variants = variants,
     .job = SYNC_IDLE,
     .threads = {2}},
    {.name = NULL},
};

static enum outcome
run(const struct options *o, struct report *r)
{
    return sync_bench_run("bench cond", tables, o, r);
}

const struct scenario bench_cond = {
    .command = "bench",
    .name = "cond",
    .summary = "to tell nobody, and what a wake-up with a lock costs",
    .run = run,
    .extras = sync_extras,
};
