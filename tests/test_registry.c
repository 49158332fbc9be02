/* SPDX-License-Identifier: MIT */
#include <weft/thread.h>

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "base/reclaim.h"
#include "base/self.h"
#include "testing.h"

/* A sanitizer has an allocator of its own. */
#ifdef WEFT_RECLAIM_CALLS_
#define MEMORY_IS_OTHERS
#endif

#define ROOM 512

struct list {
    size_t count;
    uint64_t ids[ROOM];
    weft_thread *threads[ROOM];
};

static void
add(weft_thread *t, void *ctx)
{
    struct list *l = ctx;

    ck_assert_uint_lt(l->count, ROOM);
    ck_assert_str_ne(weft_thread_name(t), "");
    l->ids[l->count] = weft_thread_id(t);
    l->threads[l->count++] = t;
}

static const struct list *
list_all(void)
{
    static __thread struct list l;

    l.count = 0;
    weft_thread_enumerate(add, &l);
    return &l;
}

static weft_thread *
start(weft_fn *fn, void *arg, enum weft_daemon daemon)
{
    const weft_thread_options options = {.daemon = daemon};
    weft_thread *t = NULL;

    ck_assert_int_eq(weft_thread_start(&t, fn, arg, &options), WEFT_OK);
    return t;
}

static void
end(weft_thread *t)
{
    ck_assert_int_eq(weft_thread_join(t, WEFT_FOREVER, NULL), WEFT_OK);
    weft_thread_release(t);
}

static void *
do_nothing(void *arg)
{
    return arg;
}

static pthread_barrier_t gate;

static void *
wait_at_gate(void *arg)
{
    if (arg != NULL)
        (void)weft_thread_current();
    pthread_barrier_wait(&gate);
    pthread_barrier_wait(&gate);
    return arg;
}

START_TEST(test_enumerate_shows_main_daemon_foreign_and_starting_threads)
{
    pthread_t known;
    pthread_t unknown;

    pthread_barrier_init(&gate, NULL, 5);
    weft_thread *t = start(wait_at_gate, NULL, WEFT_DAEMON_NO);
    weft_thread *daemon = start(wait_at_gate, NULL, WEFT_DAEMON_YES);
    ck_assert_uint_eq(list_all()->count, 3); /* they need not have run yet */
    pthread_create(&known, NULL, wait_at_gate, &gate);
    pthread_create(&unknown, NULL, wait_at_gate, NULL);
    pthread_barrier_wait(&gate);

    const struct list *l = list_all();
    ck_assert_uint_eq(l->count, 4); /* not the one that never called */
    ck_assert_uint_eq(weft_thread_count(), 4);
    ck_assert_ptr_eq(l->threads[0], weft_thread_main());
    ck_assert_ptr_eq(l->threads[1], t);
    ck_assert_ptr_eq(l->threads[2], daemon);
    ck_assert(!weft_thread_is_daemon(l->threads[3]));
    pthread_barrier_wait(&gate);
    pthread_join(known, NULL);
    pthread_join(unknown, NULL);
    end(t);
    end(daemon);
    ck_assert_uint_eq(list_all()->count, 1);
    ck_assert_uint_eq(weft_thread_count(), 1);
}
END_TEST

#define MANY 300 /* more than the stack has room for */

START_TEST(test_count_is_the_length_of_the_list)
{
    static weft_thread *threads[MANY];
    const weft_thread_options small = {.stack_bytes = 1 << 17};

    pthread_barrier_init(&gate, NULL, MANY + 1);
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(
            weft_thread_start(&threads[i], wait_at_gate, NULL, &small),
            WEFT_OK);
        ck_assert_uint_eq(weft_thread_count(), (size_t)i + 2);
        ck_assert_uint_eq(list_all()->count, (size_t)i + 2);
    }
    const struct list *l = list_all();
    for (size_t i = 1; i < l->count; i++)
        ck_assert_uint_gt(l->ids[i], l->ids[i - 1]);
    pthread_barrier_wait(&gate);
    pthread_barrier_wait(&gate);
    for (int i = 0; i < MANY; i++)
        end(threads[i]);
}
END_TEST

/* A chain in which each thread starts the next and then ends: at every moment
 * one or two of them are alive.  Each joins the one before. */
static _Atomic int links;

static void *
start_next(void *before)
{
    if (before != NULL)
        end(before);
    if (atomic_fetch_sub_explicit(&links, 1, memory_order_relaxed) > 0)
        weft_thread_release(start(start_next,
                                  weft_thread_retain(weft_thread_current()),
                                  WEFT_DAEMON_NO));
    return NULL;
}

static void *
look_on(void *arg)
{
    size_t *seen = arg;

    while (atomic_load_explicit(&links, memory_order_relaxed) > 0) {
        const struct list *l = list_all();
        for (size_t i = 1; i < l->count; i++)
            ck_assert_uint_gt(l->ids[i], l->ids[i - 1]);
        /* main, this one, the chain's: never none of them */
        if (atomic_load_explicit(&links, memory_order_relaxed) > 0)
            ck_assert_uint_ge(l->count, 3);
        ++*seen;
    }
    return NULL;
}

START_TEST(test_enumerate_is_a_picture_of_one_moment)
{
    size_t seen = 0;

    atomic_store_explicit(&links, 5000, memory_order_relaxed);
    weft_thread_release(start(start_next, NULL, WEFT_DAEMON_NO));
    weft_thread *looker = start(look_on, &seen, WEFT_DAEMON_NO);
    end(looker);
    while (weft_thread_count() > 1)
        sched_yield();
    ck_assert_uint_gt(seen, 0);
}
END_TEST

static weft_thread *let_go;

static void
end_and_look(weft_thread *t, void *ctx)
{
    struct list *l = ctx;

    if (t == let_go) { /* ends, without another handle, while we look at it */
        pthread_barrier_wait(&gate);
        while (weft_thread_is_alive(t))
            sched_yield();
        ck_assert_int_eq(strncmp(weft_thread_name(t), "Thread-", 7), 0);
        ck_assert_uint_eq(list_all()->count, 1); /* and call it again */
    }
    add(t, l);
}

START_TEST(test_visited_handles_stay_valid_during_visit)
{
    struct list l = {0};

    pthread_barrier_init(&gate, NULL, 2);
    let_go = start(wait_at_gate, NULL, WEFT_DAEMON_NO);
    pthread_barrier_wait(&gate);
    weft_thread_release(let_go);
    weft_thread_enumerate(end_and_look, &l);
    ck_assert_uint_eq(l.count, 2);
}
END_TEST

static void
keep_all(weft_thread *t, void *ctx)
{
    add(weft_thread_retain(t), ctx);
}

static void *
churn(void *arg)
{
    for (int i = 0; i < 300; i++)
        end(start(do_nothing, arg, WEFT_DAEMON_NO));
    return NULL;
}

START_TEST(test_retained_handles_stay_valid_afterwards)
{
    weft_thread *churners[3];

    for (int i = 0; i < 3; i++)
        churners[i] = start(churn, NULL, WEFT_DAEMON_NO);
    while (weft_thread_count() > 3) {
        static struct list l;
        l.count = 0;
        weft_thread_enumerate(keep_all, &l);
        for (size_t i = 0; i < l.count; i++) {
            ck_assert_uint_eq(weft_thread_id(l.threads[i]), l.ids[i]);
            weft_thread_release(l.threads[i]);
        }
    }
    for (int i = 0; i < 3; i++)
        end(churners[i]);
}
END_TEST

static void
count_one(weft_thread *t, void *ctx)
{
    ((struct list *)ctx)->count += weft_thread_is_alive(t);
}

START_TEST(test_enumerate_without_memory_shows_them_all_the_same)
{
    static weft_thread *threads[100];
    struct list l = {0};

    pthread_barrier_init(&gate, NULL, 101);
    for (int i = 0; i < 100; i++)
        threads[i] = start(wait_at_gate, NULL, WEFT_DAEMON_NO);
    alloc_fail_at(1);
    weft_thread_enumerate(count_one, &l);
    ck_assert_uint_eq(alloc_fail_stop(), 1);
    ck_assert_uint_eq(l.count, 101);
    pthread_barrier_wait(&gate);
    pthread_barrier_wait(&gate);
    for (int i = 0; i < 100; i++)
        end(threads[i]);
}
END_TEST

#ifndef MEMORY_IS_OTHERS
static size_t
resident_pages(void)
{
    size_t all;
    size_t resident;
    FILE *f = fopen("/proc/self/statm", "r");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fscanf(f, "%zu %zu", &all, &resident), 2);
    fclose(f);
    return resident;
}
#endif

#define BATCH 50

/* Joined, or given back at once. */
static void
run_batches(int n, bool joined)
{
    weft_thread *threads[BATCH];

    for (int i = 0; i < n; i++) {
        for (int k = 0; k < BATCH; k++) {
            threads[k] = start(do_nothing, NULL, WEFT_DAEMON_INHERIT);
            if (!joined)
                weft_thread_release(threads[k]);
        }
        for (int k = 0; k < BATCH && joined; k++)
            end(threads[k]);
        while (weft_thread_count() > 1)
            sched_yield();
    }
}

START_TEST(test_ten_thousand_threads_leave_memory_where_it_was)
{
    run_batches(20, _i == 0);
    weft_reclaim_barrier_();
#ifdef MEMORY_IS_OTHERS
    run_batches(20, _i == 0);
#else
    const size_t used = mallinfo2().uordblks;
    const size_t pages = resident_pages();
    run_batches(10000 / BATCH, _i == 0);
    weft_reclaim_barrier_();
    /* 256 records may wait for the next batch */
    ck_assert_uint_lt(mallinfo2().uordblks, used + 512 * 1024);
    ck_assert_uint_lt(resident_pages(), pages + 256);
#endif
    ck_assert_uint_eq(weft_thread_count(), 1);
}
END_TEST

static bool
is_listed(const weft_thread *t)
{
    const struct list *l = list_all();

    for (size_t i = 0; i < l->count; i++)
        if (l->threads[i] == t)
            return true;
    return false;
}

/* As the walk meets one that stopped after it was linked, or before it was
 * taken out of the list; from there on all is quiet. */
START_TEST(test_enumerate_leaves_out_who_is_in_the_list_but_not_of_the_moment)
{
    struct weft_self *r = weft_self_get_();
    const uint64_t born = r->born;
    const uint64_t now = weft_self_version_();

    ck_assert(is_listed(weft_thread_current()));
    r->born = now + 1;
    ck_assert(!is_listed(weft_thread_current()));
    r->born = born;
    atomic_store_explicit(&r->gone, now, memory_order_relaxed);
    ck_assert(!is_listed(weft_thread_current()));
    atomic_store_explicit(&r->gone, 0, memory_order_relaxed);
    ck_assert(is_listed(weft_thread_current()));
}
END_TEST

int
main(void)
{
    const struct test tests[] = {
        {&test_enumerate_shows_main_daemon_foreign_and_starting_threads, 1},
        {&test_count_is_the_length_of_the_list, 1},
        {&test_enumerate_is_a_picture_of_one_moment, 1},
        {&test_enumerate_leaves_out_who_is_in_the_list_but_not_of_the_moment,
         1},
        {&test_visited_handles_stay_valid_during_visit, 1},
        {&test_retained_handles_stay_valid_afterwards, 1},
        {&test_enumerate_without_memory_shows_them_all_the_same, 1},
        {&test_ten_thousand_threads_leave_memory_where_it_was, 2},
    };

    size_t count = sizeof(tests) / sizeof(tests[0]);

    if (in_emulator()) {
        puts("left out: test_ten_thousand_threads_leave_memory_where_it_was; "
             "qemu-user 7.2 keeps memory for each thread that ever was");
        count--;
    }
    return run_tests("registry", tests, count, 60);
}
