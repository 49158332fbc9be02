/* SPDX-License-Identifier: MIT */
/*
 * bench_deadlock.c - what the detector costs: locks without contention, while
 * it is off and while it is on, beside pthread mutexes.
 *
 * It is on for the whole process, so a row switches it on when its thread
 * begins and off when it ends; no two rows run at a time.  What could happen is
 * noted of threads that Weft has started, so those rows run in one.
 *
 * Off, all that is left of it in a mutex is that the inline part looks whether
 * the word of its thread is 0: `no hooks` is a copy of that part without the
 * look, over the same locks.
 */
#include <pthread.h>

#include <weft/deadlock.h>
#include <weft/inline.h>
#include <weft/mutex.h>
#include <weft/rmutex.h>
#include <weft/rwlock.h>
#include <weft/thread.h>

#include "bench/sync_loops.h"
#include "scenario.h"

#define MANY 64

/* A lock inside another; others alone. */
struct two {
    weft_mutex outer;
    weft_mutex inner;
    weft_rmutex again;
    weft_rwlock shared;
    weft_mutex many[MANY];
};

/* Two locks for each thread, on lines of their own. */
struct apart {
    alignas(128) weft_mutex outer;
    weft_mutex inner;
};

struct two_pthread {
    pthread_mutex_t outer;
    pthread_mutex_t inner;
};

static bool
init_weft(void *object, const struct sync_load *load, int kind)
{
    (void)object;
    (void)load;
    (void)kind;
    return true;
}

SYNC_INLINE void
switch_on(struct sync_hand *h, void *object)
{
    (void)h;
    (void)object;
    (void)weft_deadlock_enable(WEFT_DEADLOCK_REPORT);
}

SYNC_INLINE void
switch_off(struct sync_hand *h, void *object)
{
    (void)h;
    (void)object;
    (void)weft_deadlock_enable(WEFT_DEADLOCK_OFF);
}

/* Run the loop of `work` in a thread of Weft's, where this one was pinned. */
struct loop {
    void (*work)(struct sync_hand *h);
    struct sync_hand *hand;
};

static void *
run_loop(void *loop)
{
    struct loop *l = loop;

    l->work(l->hand);
    return NULL;
}

static void
work_started(struct sync_hand *h, void (*work)(struct sync_hand *h))
{
    struct loop loop = {work, h};
    weft_thread *t;

    if (weft_thread_start(&t, run_loop, &loop, NULL) != WEFT_OK)
        return; /* and nothing was done, which shows */
    (void)!weft_thread_join(t, WEFT_FOREVER, NULL);
    weft_thread_release(t);
}

#define WORK_ON(name, ...)                                          \
    SYNC_WORK(name##_inside, .begin = switch_on, .end = switch_off, \
              __VA_ARGS__)                                          \
    static void name(struct sync_hand *h)                           \
    {                                                               \
        work_started(h, name##_inside);                             \
    }

SYNC_INLINE void
nested_enter(struct sync_hand *h, void *object)
{
    struct two *t = object;

    (void)h;
    weft_mutex_lock(&t->outer);
    weft_mutex_lock(&t->inner);
}

SYNC_INLINE void
nested_leave(struct sync_hand *h, void *object)
{
    struct two *t = object;

    (void)h;
    weft_mutex_unlock(&t->inner);
    weft_mutex_unlock(&t->outer);
}

SYNC_WORK(nested_off, .enter = nested_enter, .leave = nested_leave)
WORK_ON(nested_on, .enter = nested_enter, .leave = nested_leave)

/* As the header's, without the look. */
SYNC_INLINE void
bare_lock(weft_mutex *m)
{
    const uint32_t me = WEFT_LOAD_(&weft_self_, relaxed);
    uint32_t free_word = 0;

    if (!WEFT_CAS_(&m->word, &free_word, me, acquire))
        weft_mutex_lock_slow_(m);
}

SYNC_INLINE void
bare_unlock(weft_mutex *m)
{
    uint32_t me = WEFT_LOAD_(&weft_self_, relaxed);

    if (!WEFT_CAS_(&m->word, &me, 0, release))
        weft_mutex_unlock_slow_(m);
}

SYNC_INLINE void
bare_enter(struct sync_hand *h, void *object)
{
    struct two *t = object;

    (void)h;
    bare_lock(&t->outer);
    bare_lock(&t->inner);
}

SYNC_INLINE void
bare_leave(struct sync_hand *h, void *object)
{
    struct two *t = object;

    (void)h;
    bare_unlock(&t->inner);
    bare_unlock(&t->outer);
}

/* Its thread is known from then on. */
SYNC_INLINE void
bare_begin(struct sync_hand *h, void *object)
{
    nested_enter(h, object);
    nested_leave(h, object);
}

SYNC_WORK(nested_bare, .begin = bare_begin, .enter = bare_enter,
          .leave = bare_leave)

/* Each time the next two of many. */
SYNC_INLINE void
many_enter(struct sync_hand *h, void *object)
{
    weft_mutex *m = ((struct two *)object)->many + h->own[0];

    weft_mutex_lock(&m[0]);
    weft_mutex_lock(&m[1]);
}

SYNC_INLINE void
many_leave(struct sync_hand *h, void *object)
{
    weft_mutex *m = ((struct two *)object)->many + h->own[0];

    weft_mutex_unlock(&m[1]);
    weft_mutex_unlock(&m[0]);
    h->own[0] = h->own[0] == MANY - 2 ? 0 : h->own[0] + 1;
}

SYNC_WORK(many_off, .enter = many_enter, .leave = many_leave)
WORK_ON(many_on, .enter = many_enter, .leave = many_leave)

SYNC_INLINE void
apart_enter(struct sync_hand *h, void *object)
{
    struct apart *mine = (struct apart *)object + h->index % MANY;

    weft_mutex_lock(&mine->outer);
    weft_mutex_lock(&mine->inner);
}

SYNC_INLINE void
apart_leave(struct sync_hand *h, void *object)
{
    struct apart *mine = (struct apart *)object + h->index % MANY;

    weft_mutex_unlock(&mine->inner);
    weft_mutex_unlock(&mine->outer);
}

SYNC_WORK(apart_off, .enter = apart_enter, .leave = apart_leave)
WORK_ON(apart_on, .enter = apart_enter, .leave = apart_leave)

SYNC_INLINE void
again_enter(struct sync_hand *h, void *object)
{
    (void)h;
    weft_rmutex_lock(&((struct two *)object)->again);
}

SYNC_INLINE void
again_leave(struct sync_hand *h, void *object)
{
    (void)h;
    weft_rmutex_unlock(&((struct two *)object)->again);
}

SYNC_WORK(again_off, .enter = again_enter, .leave = again_leave)
WORK_ON(again_on, .enter = again_enter, .leave = again_leave)

SYNC_INLINE void
read_enter(struct sync_hand *h, void *object)
{
    (void)h;
    weft_rwlock_read_lock(&((struct two *)object)->shared);
}

SYNC_INLINE void
read_leave(struct sync_hand *h, void *object)
{
    (void)h;
    weft_rwlock_read_unlock(&((struct two *)object)->shared);
}

SYNC_WORK(read_off, .enter = read_enter, .leave = read_leave)
WORK_ON(read_on, .enter = read_enter, .leave = read_leave)

static bool
init_pthread(void *object, const struct sync_load *load, int kind)
{
    struct two_pthread *t = object;

    (void)load;
    (void)kind;
    return pthread_mutex_init(&t->outer, NULL) == 0 &&
           pthread_mutex_init(&t->inner, NULL) == 0;
}

SYNC_INLINE void
pthread_enter(struct sync_hand *h, void *object)
{
    struct two_pthread *t = object;

    (void)h;
    pthread_mutex_lock(&t->outer);
    pthread_mutex_lock(&t->inner);
}

SYNC_INLINE void
pthread_leave(struct sync_hand *h, void *object)
{
    struct two_pthread *t = object;

    (void)h;
    pthread_mutex_unlock(&t->inner);
    pthread_mutex_unlock(&t->outer);
}

SYNC_WORK(nested_pthread, .enter = pthread_enter, .leave = pthread_leave)

#define ROW(name_, work_)                                              \
    {                                                                  \
        .name = name_, .bytes = sizeof(struct two), .init = init_weft, \
        .work = work_                                                  \
    }

static const struct sync_variant nested[] = {
    ROW("no hooks", nested_bare),
    ROW("off", nested_off),
    ROW("on", nested_on),
    {.name = "pthread mutex",
     .rival = true,
     .baseline = true,
     .bytes = sizeof(struct two_pthread),
     .init = init_pthread,
     .work = nested_pthread},
    {.name = NULL}};

static const struct sync_variant many[] = {
    ROW("off", many_off), ROW("on", many_on), {.name = NULL}};

static const struct sync_variant again[] = {
    ROW("off", again_off), ROW("on", again_on), {.name = NULL}};

#define APART(name_, work_)                                  \
    {                                                        \
        .name = name_, .bytes = MANY * sizeof(struct apart), \
        .init = init_weft, .work = work_                     \
    }

static const struct sync_variant separate[] = {
    APART("off", apart_off), APART("on", apart_on), {.name = NULL}};

static const struct sync_variant reads[] = {
    ROW("off", read_off), ROW("on", read_on), {.name = NULL}};

static const struct sync_table tables[] = {
    {.name = "nested",
     .title = "a mutex in a mutex, both pairs",
     .variants = nested,
     .job = SYNC_PAIR,
     .threads = {1}},
    {.name = "many",
     .title = "the same with the next two of 64 mutexes each time",
     .variants = many,
     .job = SYNC_PAIR,
     .threads = {1}},
    {.name = "apart",
     .title =
         "a mutex in a mutex, each thread its own two: all threads together",
     .variants = separate,
     .job = SYNC_READERS,
     .threads = {1, 2}},
    {.name = "rmutex",
     .title = "a recursive mutex",
     .variants = again,
     .job = SYNC_PAIR,
     .threads = {1}},
    {.name = "read",
     .title = "a read-write lock, to read",
     .variants = reads,
     .job = SYNC_PAIR,
     .threads = {1}},
    {.name = NULL}};

static enum outcome
run(const struct options *o, struct report *r)
{
    return sync_bench_run("bench deadlock", tables, o, r);
}

const struct scenario bench_deadlock = {
    .command = "bench",
    .name = "deadlock",
    .summary = "what the detector costs: locks while it is off, and on",
    .run = run,
    .extras = sync_extras,
};
