/* SPDX-License-Identifier: MIT */
/*
 * bench_event.c - weft_event beside a flag with a mutex and a condition of
 * pthreads.
 */
#include <pthread.h>

#include <weft/event.h>

#include "bench/sync_loops.h"
#include "bench/sync_nsync.h"
#include "scenario.h"

struct weft_set {
    alignas(128) weft_event done;
    alignas(128) weft_event side[2];
    alignas(128) char end;
};

struct flag {
    alignas(128) pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_set;
};

struct posix_set {
    struct flag done;
    struct flag side[2];
};

static bool
weft_init(void *object, const struct sync_load *load, int kind)
{
    struct weft_set *s = object;

    (void)load;
    (void)kind;
    weft_event_init(&s->side[0]);
    weft_event_init(&s->side[1]);
    weft_event_init(&s->done);
    weft_event_set(&s->done);
    return true;
}

SYNC_INLINE void
weft_done(struct sync_hand *h, void *object)
{
    struct weft_set *s = object;

    h->wrong += weft_event_wait(&s->done, WEFT_FOREVER) != WEFT_OK;
}

SYNC_INLINE void
weft_signal(struct sync_hand *h, void *object, unsigned side)
{
    struct weft_set *s = object;

    (void)h;
    weft_event_set(&s->side[side]);
}

SYNC_INLINE void
weft_await(struct sync_hand *h, void *object, unsigned side)
{
    struct weft_set *s = object;

    h->wrong += weft_event_wait(&s->side[side], WEFT_FOREVER) != WEFT_OK;
    weft_event_clear(&s->side[side]);
}

static void
flag_set(struct flag *f)
{
    pthread_mutex_lock(&f->lock);
    f->is_set = true;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

SYNC_INLINE void
flag_await(struct flag *f, bool stays)
{
    pthread_mutex_lock(&f->lock);
    while (!f->is_set)
        pthread_cond_wait(&f->changed, &f->lock);
    f->is_set = stays;
    pthread_mutex_unlock(&f->lock);
}

static bool
posix_init(void *object, const struct sync_load *load, int kind)
{
    struct posix_set *s = object;

    (void)load;
    (void)kind;
    flag_set(&s->done);
    return true;
}

SYNC_INLINE void
posix_done(struct sync_hand *h, void *object)
{
    (void)h;
    flag_await(&((struct posix_set *)object)->done, true);
}

SYNC_INLINE void
posix_signal(struct sync_hand *h, void *object, unsigned side)
{
    (void)h;
    flag_set(&((struct posix_set *)object)->side[side]);
}

SYNC_INLINE void
posix_await(struct sync_hand *h, void *object, unsigned side)
{
    (void)h;
    flag_await(&((struct posix_set *)object)->side[side], false);
}

SYNC_WORK(work_weft, .call = weft_done, .signal = weft_signal,
          .await = weft_await)
SYNC_WORK(work_posix, .call = posix_done, .signal = posix_signal,
          .await = posix_await)

static const struct sync_variant variants[] = {
    {.name = "weft_event",
     .bytes = sizeof(struct weft_set),
     .init = weft_init,
     .work = work_weft},
    {.name = "pthread mutex, cond",
     .rival = true,
     .baseline = true,
     .bytes = sizeof(struct posix_set),
     .init = posix_init,
     .work = work_posix},
    {.name = NULL},
};

static const struct sync_table tables[] = {
    {.name = "set",
     .title = "a wait for an event that is set",
     .variants = variants,
     .job = SYNC_CALL,
     .threads = {1},
     .more = sync_nsync_event},
    {.name = "one-cpu",
     .title = "there and back, one CPU",
     .variants = variants,
     .job = SYNC_PING,
     .threads = {2},
     .place = SYNC_ONE_CPU},
    {.name = "two-cpus",
     .title = "there and back, two CPUs",
     .variants = variants,
     .job = SYNC_PING,
     .threads = {2},
     .place = SYNC_TWO_CPUS},
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
    return sync_bench_run("bench event", tables, o, r);
}

const struct scenario bench_event = {
    .command = "bench",
    .name = "event",
    .summary = "a flag that is set, and what a wake-up by one costs",
    .run = run,
    .extras = sync_extras,
};
