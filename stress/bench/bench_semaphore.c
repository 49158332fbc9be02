/* SPDX-License-Identifier: MIT */
/*
 * bench_semaphore.c - weft_semaphore beside sem_t: a unit taken and given back,
 * a semaphore of one as a lock, and two threads that wake each other.
 */
#include <semaphore.h>

#include <weft/semaphore.h>

#include "bench/sync_loops.h"
#include "scenario.h"

/* One to take and give back, and one to wake each side, on lines apart. */
struct weft_set {
    alignas(128) weft_semaphore unit;
    alignas(128) weft_semaphore side[2];
    alignas(128) char end;
};

struct posix_set {
    alignas(128) sem_t unit;
    alignas(128) sem_t side[2];
    alignas(128) char end;
};

static bool
weft_init(void *object, const struct sync_load *load, int kind)
{
    struct weft_set *s = object;

    (void)load;
    (void)kind;
    return weft_semaphore_init(&s->unit, 1, 1) == WEFT_OK &&
           weft_semaphore_init(&s->side[0], 0, WEFT_NO_MAX) == WEFT_OK &&
           weft_semaphore_init(&s->side[1], 0, WEFT_NO_MAX) == WEFT_OK;
}

static bool
posix_init(void *object, const struct sync_load *load, int kind)
{
    struct posix_set *s = object;

    (void)load;
    (void)kind;
    return sem_init(&s->unit, 0, 1) == 0 && sem_init(&s->side[0], 0, 0) == 0 &&
           sem_init(&s->side[1], 0, 0) == 0;
}

SYNC_INLINE void
weft_enter(struct sync_hand *h, void *object)
{
    struct weft_set *s = object;

    h->wrong += weft_semaphore_acquire(&s->unit, WEFT_FOREVER) != WEFT_OK;
}

SYNC_INLINE void
weft_leave(struct sync_hand *h, void *object)
{
    struct weft_set *s = object;

    h->wrong += weft_semaphore_release(&s->unit, 1) != WEFT_OK;
}

SYNC_INLINE void
weft_signal(struct sync_hand *h, void *object, unsigned side)
{
    struct weft_set *s = object;

    h->wrong += weft_semaphore_release(&s->side[side], 1) != WEFT_OK;
}

SYNC_INLINE void
weft_await(struct sync_hand *h, void *object, unsigned side)
{
    struct weft_set *s = object;

    h->wrong += weft_semaphore_acquire(&s->side[side], WEFT_FOREVER) != WEFT_OK;
}

SYNC_INLINE void
posix_enter(struct sync_hand *h, void *object)
{
    struct posix_set *s = object;

    (void)h;
    while (sem_wait(&s->unit) != 0)
        continue;
}

SYNC_INLINE void
posix_leave(struct sync_hand *h, void *object)
{
    struct posix_set *s = object;

    h->wrong += sem_post(&s->unit) != 0;
}

SYNC_INLINE void
posix_signal(struct sync_hand *h, void *object, unsigned side)
{
    struct posix_set *s = object;

    h->wrong += sem_post(&s->side[side]) != 0;
}

SYNC_INLINE void
posix_await(struct sync_hand *h, void *object, unsigned side)
{
    struct posix_set *s = object;

    (void)h;
    while (sem_wait(&s->side[side]) != 0)
        continue;
}

SYNC_WORK(work_weft, .enter = weft_enter, .leave = weft_leave,
          .signal = weft_signal, .await = weft_await)
SYNC_WORK(work_posix, .enter = posix_enter, .leave = posix_leave,
          .signal = posix_signal, .await = posix_await)

static const struct sync_variant variants[] = {
    {.name = "weft_semaphore",
     .bytes = sizeof(struct weft_set),
     .init = weft_init,
     .work = work_weft},
    {.name = "sem_t",
     .rival = true,
     .baseline = true,
     .bytes = sizeof(struct posix_set),
     .init = posix_init,
     .work = work_posix},
    {.name = NULL},
};

static const struct sync_table tables[] = {
    {.name = "pair",
     .title = "acquire and release",
     .variants = variants,
     .job = SYNC_PAIR,
     .threads = {1}},
    {.name = "lock",
     .title = "a semaphore of 1 as a lock, 50 ns in, 100 out",
     .variants = variants,
     .job = SYNC_SECTIONS,
     .threads = {2, 16},
     .inside_ns = 50,
     .outside_ns = 100},
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
    return sync_bench_run("bench semaphore", tables, o, r);
}

const struct scenario bench_semaphore = {
    .command = "bench",
    .name = "semaphore",
    .summary = "units taken and given back, and what a wake-up costs",
    .run = run,
    .extras = sync_extras,
};
