/* SPDX-License-Identifier: MIT */
/*
 * bench_thread.c - `weft-stress bench thread`: starts and joins, who am I,
 * values of a thread's own, the list of all threads.
 *
 * The threads that are started do nothing; those in the list sleep.
 */
#include <weft/local.h>
#include <weft/thread.h>

#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <threads.h>
#include <unistd.h>

#include "bench/sync_loops.h"
#include "scenario.h"

#define BATCH  100
#define OTHERS 100

struct thing {
    weft_local *local;
    pthread_key_t key;
    tss_t tss;
    pthread_t others[OTHERS];
    pthread_barrier_t gate;
    unsigned seen;
    bool failed;
};

#define KEEP(value) __asm__ volatile("" ::"r"(value))

static void *
do_nothing(void *arg)
{
    return arg;
}

static int
return_0(void *arg)
{
    (void)arg;
    return 0;
}

static inline void
weft_one(struct sync_hand *h, void *object)
{
    weft_thread *t;

    (void)object;
    if (weft_thread_start(&t, do_nothing, NULL, NULL) != WEFT_OK ||
        weft_thread_join(t, WEFT_FOREVER, NULL) != WEFT_OK)
        h->wrong++;
    else
        weft_thread_release(t);
}

static inline void
weft_one_until(struct sync_hand *h, void *object)
{
    weft_thread *t;

    (void)object;
    if (weft_thread_start(&t, do_nothing, NULL, NULL) != WEFT_OK ||
        weft_thread_join(t, weft_in_s(10), NULL) != WEFT_OK)
        h->wrong++;
    else
        weft_thread_release(t);
}

static inline void
pthread_one(struct sync_hand *h, void *object)
{
    pthread_t t;

    (void)object;
    if (pthread_create(&t, NULL, do_nothing, NULL) != 0 ||
        pthread_join(t, NULL) != 0)
        h->wrong++;
}

static inline void
thrd_one(struct sync_hand *h, void *object)
{
    thrd_t t;

    (void)object;
    if (thrd_create(&t, return_0, NULL) != thrd_success ||
        thrd_join(t, NULL) != thrd_success)
        h->wrong++;
}

static inline void
weft_many(struct sync_hand *h, void *object)
{
    weft_thread *t[BATCH];

    (void)object;
    for (int i = 0; i < BATCH; i++)
        if (weft_thread_start(&t[i], do_nothing, NULL, NULL) != WEFT_OK)
            abort();
    for (int i = 0; i < BATCH; i++) {
        if (weft_thread_join(t[i], WEFT_FOREVER, NULL) != WEFT_OK)
            h->wrong++;
        weft_thread_release(t[i]);
    }
}

static inline void
pthread_many(struct sync_hand *h, void *object)
{
    pthread_t t[BATCH];

    (void)object;
    for (int i = 0; i < BATCH; i++)
        if (pthread_create(&t[i], NULL, do_nothing, NULL) != 0)
            abort();
    for (int i = 0; i < BATCH; i++)
        if (pthread_join(t[i], NULL) != 0)
            h->wrong++;
}

static inline void
thrd_many(struct sync_hand *h, void *object)
{
    thrd_t t[BATCH];

    (void)object;
    for (int i = 0; i < BATCH; i++)
        if (thrd_create(&t[i], return_0, NULL) != thrd_success)
            abort();
    for (int i = 0; i < BATCH; i++)
        if (thrd_join(t[i], NULL) != thrd_success)
            h->wrong++;
}

SYNC_WORK(work_weft_one, .call = weft_one)
SYNC_WORK(work_weft_one_until, .call = weft_one_until)
SYNC_WORK(work_pthread_one, .call = pthread_one)
SYNC_WORK(work_thrd_one, .call = thrd_one)
SYNC_WORK(work_weft_many, .call = weft_many)
SYNC_WORK(work_pthread_many, .call = pthread_many)
SYNC_WORK(work_thrd_many, .call = thrd_many)

static inline void
weft_who(struct sync_hand *h, void *object)
{
    (void)h;
    (void)object;
    KEEP(weft_thread_current());
}

static inline void
pthread_who(struct sync_hand *h, void *object)
{
    (void)h;
    (void)object;
    KEEP(pthread_self());
}

static inline void
thrd_who(struct sync_hand *h, void *object)
{
    (void)h;
    (void)object;
    KEEP(thrd_current());
}

static inline void
weft_id(struct sync_hand *h, void *object)
{
    (void)h;
    (void)object;
    KEEP(weft_thread_id(weft_thread_current()));
}

static inline void
system_id(struct sync_hand *h, void *object)
{
    (void)h;
    (void)object;
    KEEP(syscall(SYS_gettid));
}

SYNC_WORK(work_weft_who, .call = weft_who)
SYNC_WORK(work_pthread_who, .call = pthread_who)
SYNC_WORK(work_thrd_who, .call = thrd_who)
SYNC_WORK(work_weft_id, .call = weft_id)
SYNC_WORK(work_system_id, .call = system_id)

static bool
init_weft_value(void *object, const struct sync_load *load, int kind)
{
    struct thing *t = object;

    (void)load;
    (void)kind;
    return weft_local_create(&t->local, NULL, NULL, NULL) == WEFT_OK;
}

static void
destroy_weft_value(void *object)
{
    weft_local_destroy(((struct thing *)object)->local);
}

static bool
init_pthread_value(void *object, const struct sync_load *load, int kind)
{
    (void)load;
    (void)kind;
    return pthread_key_create(&((struct thing *)object)->key, NULL) == 0;
}

static void
destroy_pthread_value(void *object)
{
    pthread_key_delete(((struct thing *)object)->key);
}

static bool
init_tss_value(void *object, const struct sync_load *load, int kind)
{
    (void)load;
    (void)kind;
    return tss_create(&((struct thing *)object)->tss, NULL) == thrd_success;
}

static void
destroy_tss_value(void *object)
{
    tss_delete(((struct thing *)object)->tss);
}

static __thread void *compiler_value;

static void
begin_weft_value(struct sync_hand *h, void *object)
{
    if (weft_local_set(((struct thing *)object)->local, h) != WEFT_OK)
        h->wrong++;
}

static void
begin_pthread_value(struct sync_hand *h, void *object)
{
    if (pthread_setspecific(((struct thing *)object)->key, h) != 0)
        h->wrong++;
}

static void
begin_tss_value(struct sync_hand *h, void *object)
{
    if (tss_set(((struct thing *)object)->tss, h) != thrd_success)
        h->wrong++;
}

static void
begin_compiler_value(struct sync_hand *h, void *object)
{
    (void)object;
    compiler_value = h;
}

static inline void
get_weft_value(struct sync_hand *h, void *object)
{
    h->wrong += weft_local_get(((struct thing *)object)->local) != h;
}

static inline void
get_pthread_value(struct sync_hand *h, void *object)
{
    h->wrong += pthread_getspecific(((struct thing *)object)->key) != h;
}

static inline void
get_tss_value(struct sync_hand *h, void *object)
{
    h->wrong += tss_get(((struct thing *)object)->tss) != h;
}

static inline void
get_compiler_value(struct sync_hand *h, void *object)
{
    (void)object;
    h->wrong += compiler_value != h;
}

SYNC_WORK(work_weft_value, .begin = begin_weft_value, .call = get_weft_value)
SYNC_WORK(work_pthread_value, .begin = begin_pthread_value,
          .call = get_pthread_value)
SYNC_WORK(work_tss_value, .begin = begin_tss_value, .call = get_tss_value)
SYNC_WORK(work_compiler_value, .begin = begin_compiler_value,
          .call = get_compiler_value)

static void *
sleep_meanwhile(void *arg)
{
    struct thing *t = arg;

    (void)weft_thread_current();
    pthread_barrier_wait(&t->gate);
    pthread_barrier_wait(&t->gate);
    return NULL;
}

static bool
init_others(void *object, const struct sync_load *load, int kind)
{
    struct thing *t = object;

    (void)load;
    (void)kind;
    pthread_barrier_init(&t->gate, NULL, OTHERS + 1);
    for (int i = 0; i < OTHERS; i++)
        if (pthread_create(&t->others[i], NULL, sleep_meanwhile, t) != 0)
            abort();
    pthread_barrier_wait(&t->gate);
    return true;
}

static void
destroy_others(void *object)
{
    struct thing *t = object;

    pthread_barrier_wait(&t->gate);
    for (int i = 0; i < OTHERS; i++)
        pthread_join(t->others[i], NULL);
    pthread_barrier_destroy(&t->gate);
}

static void
count_one(weft_thread *t, void *ctx)
{
    (void)t;
    ++*(unsigned *)ctx;
}

static inline void
weft_list(struct sync_hand *h, void *object)
{
    unsigned seen = 0;

    (void)object;
    weft_thread_enumerate(count_one, &seen);
    h->wrong += seen < OTHERS;
}

static inline void
system_list(struct sync_hand *h, void *object)
{
    unsigned seen = 0;
    DIR *tasks = opendir("/proc/self/task");

    (void)object;
    if (tasks == NULL) {
        h->wrong++;
        return;
    }
    while (readdir(tasks) != NULL)
        seen++;
    closedir(tasks);
    h->wrong += seen < OTHERS;
}

SYNC_WORK(work_weft_list, .call = weft_list)
SYNC_WORK(work_system_list, .call = system_list)

static bool
init_nothing(void *object, const struct sync_load *load, int kind)
{
    (void)object;
    (void)load;
    (void)kind;
    return true;
}

#define ROOM .bytes = sizeof(struct thing)
#define PLAIN(variant, loop) \
    ROOM, .name = variant, .init = init_nothing, .work = loop
#define RIVAL(variant, loop) PLAIN(variant, loop), .rival = true

static const struct sync_variant ones[] = {
    {PLAIN("weft_thread", work_weft_one)},
    {PLAIN("weft_thread, deadline", work_weft_one_until)},
    {RIVAL("pthread", work_pthread_one), .baseline = true},
    {RIVAL("C11 thrd", work_thrd_one)},
    {.name = NULL}};

static const struct sync_variant batches[] = {
    {PLAIN("weft_thread", work_weft_many)},
    {RIVAL("pthread", work_pthread_many), .baseline = true},
    {RIVAL("C11 thrd", work_thrd_many)},
    {.name = NULL}};

static const struct sync_variant currents[] = {
    {PLAIN("weft_thread_current", work_weft_who)},
    {RIVAL("pthread_self", work_pthread_who), .baseline = true},
    {RIVAL("thrd_current", work_thrd_who)},
    {.name = NULL}};

static const struct sync_variant ids[] = {
    {PLAIN("weft_thread_id", work_weft_id)},
    {RIVAL("gettid", work_system_id), .baseline = true},
    {.name = NULL}};

static const struct sync_variant values[] = {
    {.name = "weft_local_get",
     ROOM,
     .init = init_weft_value,
     .destroy = destroy_weft_value,
     .work = work_weft_value},
    {.name = "pthread_getspecific",
     .rival = true,
     .baseline = true,
     ROOM,
     .init = init_pthread_value,
     .destroy = destroy_pthread_value,
     .work = work_pthread_value},
    {.name = "tss_get",
     .rival = true,
     ROOM,
     .init = init_tss_value,
     .destroy = destroy_tss_value,
     .work = work_tss_value},
    {RIVAL("__thread", work_compiler_value),
     .note = "one for the whole program, and no destructor"},
    {.name = NULL}};

static const struct sync_variant lists[] = {{.name = "weft_thread_enumerate",
                                             ROOM,
                                             .init = init_others,
                                             .destroy = destroy_others,
                                             .work = work_weft_list},
                                            {.name = "/proc/self/task",
                                             .rival = true,
                                             .baseline = true,
                                             ROOM,
                                             .init = init_others,
                                             .destroy = destroy_others,
                                             .work = work_system_list},
                                            {.name = NULL}};

static const struct sync_table tables[] = {
    {.name = "start",
     .title = "start a thread and join it",
     .variants = ones,
     .job = SYNC_CALL,
     .threads = {1},
     .unit = "us/thread",
     .weight = 3},
    {.name = "batch",
     .title = "start 100 threads, then join them",
     .variants = batches,
     .job = SYNC_CALL,
     .threads = {1},
     .unit = "us/batch",
     .weight = 2},
    {.name = "current",
     .title = "the calling thread's handle",
     .variants = currents,
     .job = SYNC_CALL,
     .threads = {1}},
    {.name = "id",
     .title = "the calling thread's id",
     .variants = ids,
     .job = SYNC_CALL,
     .threads = {1}},
    {.name = "local",
     .title = "the calling thread's value",
     .variants = values,
     .job = SYNC_CALL,
     .threads = {1}},
    {.name = "enumerate",
     .title = "the list of 100 threads",
     .variants = lists,
     .job = SYNC_CALL,
     .threads = {1},
     .unit = "us/list"},
    {.name = NULL}};

static enum outcome
run(const struct options *o, struct report *r)
{
    return sync_bench_run("bench thread", tables, o, r);
}

const struct scenario bench_thread = {
    .command = "bench",
    .name = "thread",
    .summary = "starting and joining threads, their ids, values and list",
    .run = run,
    .extras = sync_extras,
};
