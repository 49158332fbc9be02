/* SPDX-License-Identifier: MIT */
/*
 * bench_rwlock.c - readers, and readers with some writers: weft_rwlock beside
 * pthread_rwlock of both kinds, a pthread mutex, and Concurrency Kit's locks.
 *
 * Two rows say what could be: a read side of liburcu, in which readers exclude
 * nobody, as what reading can cost at least; and two atomic read-modify-writes
 * on a line of the thread's own, as what a lock costs that has them.
 *
 * The locks of Concurrency Kit spin and never sleep.
 */
/* Inlined, but where the sanitizers would look into it. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define _LGPL_SOURCE
#endif
#include <pthread.h>

#include <ck_brlock.h>
#include <ck_bytelock.h>
#include <ck_rwlock.h>
#include <urcu-bp.h>

#include <weft/rwlock.h>

#include "bench/sync_loops.h"
#include "scenario.h"

SYNC_INLINE void
weft_read(struct sync_hand *h, void *l)
{
    (void)h;
    weft_rwlock_read_lock(l);
}

SYNC_INLINE void
weft_read_end(struct sync_hand *h, void *l)
{
    (void)h;
    weft_rwlock_read_unlock(l);
}

SYNC_INLINE void
weft_write(struct sync_hand *h, void *l)
{
    (void)h;
    weft_rwlock_write_lock(l);
}

SYNC_INLINE void
weft_write_end(struct sync_hand *h, void *l)
{
    (void)h;
    weft_rwlock_write_unlock(l);
}

SYNC_WORK(work_weft, .enter = weft_read, .leave = weft_read_end,
          .write_enter = weft_write, .write_leave = weft_write_end)
SYNC_WORK(work_weft_write, .enter = weft_write, .leave = weft_write_end)

static bool
init_pthread(void *object, const struct sync_load *load, int kind)
{
    pthread_rwlockattr_t a;

    (void)load;
    if (pthread_rwlockattr_init(&a) != 0)
        return false;
    const bool done = pthread_rwlockattr_setkind_np(&a, kind) == 0 &&
                      pthread_rwlock_init(object, &a) == 0;
    pthread_rwlockattr_destroy(&a);
    return done;
}

static void
destroy_pthread(void *object)
{
    pthread_rwlock_destroy(object);
}

SYNC_INLINE void
pthread_read(struct sync_hand *h, void *l)
{
    (void)h;
    pthread_rwlock_rdlock(l);
}

SYNC_INLINE void
pthread_write(struct sync_hand *h, void *l)
{
    (void)h;
    pthread_rwlock_wrlock(l);
}

SYNC_INLINE void
pthread_end(struct sync_hand *h, void *l)
{
    (void)h;
    pthread_rwlock_unlock(l);
}

SYNC_WORK(work_pthread, .enter = pthread_read, .leave = pthread_end,
          .write_enter = pthread_write, .write_leave = pthread_end)
SYNC_WORK(work_pthread_write, .enter = pthread_write, .leave = pthread_end)

static bool
init_mutex(void *object, const struct sync_load *load, int kind)
{
    (void)load;
    (void)kind;
    return pthread_mutex_init(object, NULL) == 0;
}

SYNC_INLINE void
mutex_enter(struct sync_hand *h, void *m)
{
    (void)h;
    pthread_mutex_lock(m);
}

SYNC_INLINE void
mutex_leave(struct sync_hand *h, void *m)
{
    (void)h;
    pthread_mutex_unlock(m);
}

SYNC_WORK(work_mutex, .enter = mutex_enter, .leave = mutex_leave)

SYNC_INLINE void
ck_read(struct sync_hand *h, void *l)
{
    (void)h;
    ck_rwlock_read_lock(l);
}

SYNC_INLINE void
ck_read_end(struct sync_hand *h, void *l)
{
    (void)h;
    ck_rwlock_read_unlock(l);
}

SYNC_INLINE void
ck_write(struct sync_hand *h, void *l)
{
    (void)h;
    ck_rwlock_write_lock(l);
}

SYNC_INLINE void
ck_write_end(struct sync_hand *h, void *l)
{
    (void)h;
    ck_rwlock_write_unlock(l);
}

SYNC_WORK(work_ck, .enter = ck_read, .leave = ck_read_end,
          .write_enter = ck_write, .write_leave = ck_write_end)

/* Each reader has a line, which its thread announces to the lock. */
SYNC_INLINE void
br_begin(struct sync_hand *h, void *l)
{
    ck_brlock_read_register(l, (ck_brlock_reader_t *)(void *)h->own);
}

SYNC_INLINE void
br_end(struct sync_hand *h, void *l)
{
    ck_brlock_read_unregister(l, (ck_brlock_reader_t *)(void *)h->own);
}

SYNC_INLINE void
br_read(struct sync_hand *h, void *l)
{
    ck_brlock_read_lock(l, (ck_brlock_reader_t *)(void *)h->own);
}

SYNC_INLINE void
br_read_end(struct sync_hand *h, void *l)
{
    (void)l;
    ck_brlock_read_unlock((ck_brlock_reader_t *)(void *)h->own);
}

SYNC_INLINE void
br_write(struct sync_hand *h, void *l)
{
    (void)h;
    ck_brlock_write_lock(l);
}

SYNC_INLINE void
br_write_end(struct sync_hand *h, void *l)
{
    (void)h;
    ck_brlock_write_unlock(l);
}

SYNC_WORK(work_br, .begin = br_begin, .end = br_end, .enter = br_read,
          .leave = br_read_end, .write_enter = br_write,
          .write_leave = br_write_end)

/* A byte for each reader, on one line. */
static bool
init_byte(void *object, const struct sync_load *load, int kind)
{
    (void)load;
    (void)kind;
    ck_bytelock_init(object);
    return true;
}

SYNC_INLINE void
byte_read(struct sync_hand *h, void *l)
{
    ck_bytelock_read_lock(l, h->index + 1);
}

SYNC_INLINE void
byte_read_end(struct sync_hand *h, void *l)
{
    ck_bytelock_read_unlock(l, h->index + 1);
}

SYNC_INLINE void
byte_write(struct sync_hand *h, void *l)
{
    ck_bytelock_write_lock(l, h->index + 1);
}

SYNC_INLINE void
byte_write_end(struct sync_hand *h, void *l)
{
    (void)h;
    ck_bytelock_write_unlock(l);
}

SYNC_WORK(work_byte, .enter = byte_read, .leave = byte_read_end,
          .write_enter = byte_write, .write_leave = byte_write_end)

/* The limits. */
SYNC_INLINE void
urcu_begin(struct sync_hand *h, void *l)
{
    (void)h;
    (void)l;
    urcu_bp_register_thread();
}

SYNC_INLINE void
urcu_read(struct sync_hand *h, void *l)
{
    (void)h;
    (void)l;
    urcu_bp_read_lock();
}

SYNC_INLINE void
urcu_read_end(struct sync_hand *h, void *l)
{
    (void)h;
    (void)l;
    urcu_bp_read_unlock();
}

SYNC_WORK(work_urcu, .begin = urcu_begin, .enter = urcu_read,
          .leave = urcu_read_end)

SYNC_INLINE void
add_own(struct sync_hand *h, void *l)
{
    (void)l;
    /* relaxed: nobody else's */
    atomic_fetch_add_explicit((_Atomic uint32_t *)(void *)h->own, 1,
                              memory_order_relaxed);
}

SYNC_WORK(work_add, .enter = add_own, .leave = add_own)

#define LOCKS                                                             \
    {.name = "weft", .bytes = sizeof(weft_rwlock), .work = work_weft},    \
        {.name = "pthread_rwlock",                                        \
         .rival = true,                                                   \
         .baseline = true,                                                \
         .kind = PTHREAD_RWLOCK_PREFER_READER_NP,                         \
         .bytes = sizeof(pthread_rwlock_t),                               \
         .init = init_pthread,                                            \
         .destroy = destroy_pthread,                                      \
         .work = work_pthread},                                           \
        {.name = "pthread_rwlock, writers first",                         \
         .rival = true,                                                   \
         .kind = PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP,            \
         .bytes = sizeof(pthread_rwlock_t),                               \
         .init = init_pthread,                                            \
         .destroy = destroy_pthread,                                      \
         .work = work_pthread},                                           \
        {.name = "pthread_mutex",                                         \
         .rival = true,                                                   \
         .bytes = sizeof(pthread_mutex_t),                                \
         .init = init_mutex,                                              \
         .work = work_mutex},                                             \
        {.name = "ck_rwlock",                                             \
         .note = "spins, never sleeps",                                   \
         .rival = true,                                                   \
         .unseen = true,                                                  \
         .bytes = sizeof(ck_rwlock_t),                                    \
         .work = work_ck},                                                \
        {.name = "ck_brlock",                                             \
         .note = "spins; threads announce themselves",                    \
         .rival = true,                                                   \
         .unseen = true,                                                  \
         .bytes = sizeof(ck_brlock_t),                                    \
         .work = work_br},                                                \
    {                                                                     \
        .name = "ck_bytelock", .note = "spins; a number for each thread", \
        .rival = true, .unseen = true, .bytes = sizeof(ck_bytelock_t),    \
        .init = init_byte, .work = work_byte                              \
    }

static const struct sync_variant reading[] = {
    LOCKS,
    {.name = "liburcu bp (limit)",
     .note = "excludes nobody",
     .rival = true,
     .unseen = true,
     .bytes = 1,
     .work = work_urcu},
    {.name = "two locked adds (limit)",
     .note = "on a line of the thread's own",
     .rival = true,
     .bytes = 1,
     .work = work_add},
    {.name = NULL}};

static const struct sync_variant mixed[] = {LOCKS, {.name = NULL}};

static const struct sync_variant writing[] = {
    {.name = "weft", .bytes = sizeof(weft_rwlock), .work = work_weft_write},
    {.name = "pthread_rwlock",
     .rival = true,
     .baseline = true,
     .kind = PTHREAD_RWLOCK_PREFER_READER_NP,
     .bytes = sizeof(pthread_rwlock_t),
     .init = init_pthread,
     .destroy = destroy_pthread,
     .work = work_pthread_write},
    {.name = NULL}};

static const struct sync_table tables[] = {{.name = "pair",
                                            .title = "lock to read and unlock",
                                            .variants = reading,
                                            .job = SYNC_PAIR,
                                            .threads = {1}},
                                           {.name = "write-pair",
                                            .title = "lock to write and unlock",
                                            .variants = writing,
                                            .job = SYNC_PAIR,
                                            .threads = {1}},
                                           {.name = "read",
                                            .title = "readers only",
                                            .variants = reading,
                                            .job = SYNC_READERS,
                                            .threads = {2, 8}},
                                           {.name = "write-1",
                                            .title = "1 % writes",
                                            .variants = mixed,
                                            .job = SYNC_READERS,
                                            .threads = {2, 8},
                                            .write_percent = 1},
                                           {.name = "write-10",
                                            .title = "10 % writes",
                                            .variants = mixed,
                                            .job = SYNC_READERS,
                                            .threads = {2, 8},
                                            .write_percent = 10},
                                           {.name = NULL}};

static enum outcome
run(const struct options *o, struct report *r)
{
    return sync_bench_run("bench rwlock", tables, o, r);
}

const struct scenario bench_rwlock = {
    .command = "bench",
    .name = "rwlock",
    .summary = "readers, and readers with some writers",
    .run = run,
    .extras = sync_extras,
};
