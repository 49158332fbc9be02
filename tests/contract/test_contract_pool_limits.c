/* SPDX-License-Identifier: MIT */
/*
 * test_contract_pool_limits.c - where something runs out: room, threads, the
 * stack; and a task that never returns, a child of a busy pool.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weft/parallel.h>
#include <weft/semaphore.h>
#include <weft/thread.h>

#include "base/deadline.h"
#include "pool/pool_impl.h"
#include "pools.h"
#include "testing.h"

/* The linker sends the library's calls here; see the program's LDFLAGS. */
enum weft_status __real_weft_pool_queue_put_(weft_pool *p, struct weft_job_ job,
                                             enum weft_priority priority);
enum weft_status __wrap_weft_pool_queue_put_(weft_pool *p, struct weft_job_ job,
                                             enum weft_priority priority);
enum weft_status __real_weft_semaphore_acquire_slow_(weft_semaphore *s,
                                                     weft_deadline deadline);
enum weft_status __wrap_weft_semaphore_acquire_slow_(weft_semaphore *s,
                                                     weft_deadline deadline);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*run)(void *), void *arg);

static int threads_left = -1; /* -1: no limit */

int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                      void *(*run)(void *), void *arg)
{
    if (threads_left == 0)
        return EAGAIN;
    if (threads_left > 0)
        threads_left--;
    return __real_pthread_create(thread, attr, run, arg);
}

/* --- room ------------------------------------------------------------------ */

static __thread bool puts_late; /* its next put takes its time */
static __thread bool has_waited;
static _Atomic bool room_is_taken;
static _Atomic unsigned waiting;
static unsigned waiting_wanted;

enum weft_status
__wrap_weft_pool_queue_put_(weft_pool *p, struct weft_job_ job,
                            enum weft_priority priority)
{
    if (puts_late) {
        puts_late = false;
        atomic_store(&room_is_taken, true);
        while (atomic_load(&waiting) != waiting_wanted)
            sched_yield();
    }
    return __real_weft_pool_queue_put_(p, job, priority);
}

enum weft_status
__wrap_weft_semaphore_acquire_slow_(weft_semaphore *s, weft_deadline deadline)
{
    if (deadline != WEFT_NOW && !has_waited) {
        has_waited = true;
        atomic_fetch_add(&waiting, 1);
    }
    return __real_weft_semaphore_acquire_slow_(s, deadline);
}

struct late {
    weft_pool *pool;
    _Atomic unsigned entered;
    _Atomic unsigned runs;
};

static void *
submit_once_room_is_taken(void *arg)
{
    struct late *l = arg;

    atomic_fetch_add(&l->entered, 1);
    while (!atomic_load(&room_is_taken))
        sched_yield();
    if (weft_pool_submit(l->pool, count_one, &l->runs, NULL) != WEFT_OK)
        abort();
    return NULL;
}

/* All workers wait for the room of a task that is put only then. */
START_TEST(test_workers_that_wait_for_room_run_what_comes)
{
    const weft_pool_options o = {.max_pending = 1};
    struct late l = {.pool = open_pool(_i, &o)};
    const unsigned n = weft_pool_workers(l.pool);

    waiting_wanted = n;
    for (unsigned i = 0; i < n; i++)
        ck_assert_int_eq(
            weft_pool_submit(l.pool, submit_once_room_is_taken, &l, NULL),
            WEFT_OK);
    while (atomic_load(&l.entered) != n)
        sched_yield();
    atomic_store(&waiting, 0); /* of the submits above */
    has_waited = false;
    puts_late = true;
    ck_assert_int_eq(weft_pool_submit(l.pool, count_one, &l.runs, NULL),
                     WEFT_OK);
    ck_assert(!puts_late);
    while (atomic_load(&l.runs) != n + 1)
        sched_yield();
    weft_pool_destroy(l.pool);
}
END_TEST

static void *
try_for_room(void *arg)
{
    struct late *l = arg;
    const weft_deadline d = weft_in_ms(2);

    has_waited = true; /* so that only those count who have given up */
    atomic_fetch_add(&l->entered, 1);
    while (!atomic_load(&room_is_taken))
        sched_yield();
    if (weft_pool_submit_until(l->pool, count_one, &l->runs,
                               WEFT_PRIORITY_NORMAL, d, NULL) != WEFT_TIMEOUT ||
        weft_clock_ns_() < d)
        abort();
    atomic_fetch_add(&waiting, 1);
    return NULL;
}

START_TEST(test_a_task_waits_for_room_until_its_deadline) /* X10 */
{
    const weft_pool_options o = {.max_pending = 1};
    struct late l = {.pool = open_pool(_i, &o)};
    const unsigned n = weft_pool_workers(l.pool);

    has_waited = true;
    waiting_wanted = n;
    for (unsigned i = 0; i < n; i++)
        ck_assert_int_eq(weft_pool_submit(l.pool, try_for_room, &l, NULL),
                         WEFT_OK);
    while (atomic_load(&l.entered) != n)
        sched_yield();
    puts_late = true;
    ck_assert_int_eq(weft_pool_submit(l.pool, count_one, &l.runs, NULL),
                     WEFT_OK);
    weft_pool_destroy(l.pool);
    ck_assert_uint_eq(atomic_load(&l.runs), 1);
}
END_TEST

/* --- threads ---------------------------------------------------------------- */

START_TEST(test_the_kth_thread_that_is_not_to_be_had) /* X11 */
{
    for (int k = 1; k <= 9; k++) {
        const weft_pool_options o = {.workers = 8, .impl = pool_impl_of(_i)};
        _Atomic unsigned runs = 0;
        weft_pool *p = NULL;
        threads_left = k;
        ck_assert_int_eq(weft_pool_create(&p, &o), WEFT_OK);
        ck_assert_uint_eq(weft_pool_workers(p), k < 8 ? (unsigned)k : 8);
        for (int i = 0; i < 20; i++)
            ck_assert_int_eq(weft_pool_submit(p, count_one, &runs, NULL),
                             WEFT_OK);
        weft_pool_destroy(p);
        ck_assert_uint_eq(atomic_load(&runs), 20);
    }
}
END_TEST

static void
count_range(size_t begin, size_t end, void *count)
{
    atomic_fetch_add((_Atomic size_t *)count, end - begin);
}

START_TEST(test_others_are_served_beside_a_task_that_never_returns)
{
    struct fib root = {.n = 12};
    _Atomic size_t numbers = 0;
    weft_future *futures[100];
    size_t done = 0;
    struct gate g;

    if (workers_of(_i) == 1)
        return;
    weft_pool *p = open_pool(_i, NULL);
    occupy(&g, p, weft_pool_workers(p) - 1);
    for (int i = 0; i < 100; i++)
        futures[i] = submit(p, return_arg, p);
    ck_assert_int_eq(
        weft_wait(futures, 100, WEFT_ALL_DONE, WEFT_FOREVER, &done), WEFT_OK);
    ck_assert_uint_eq(done, 100);
    for (int i = 0; i < 100; i++)
        weft_future_release(futures[i]);
    ck_assert_int_eq(weft_pool_run(p, &root.task, run_fib), WEFT_OK);
    ck_assert_int_eq(root.n, fib_of(12));
    ck_assert_int_eq(weft_parallel_for(p, 0, 1000, 10, count_range, &numbers),
                     WEFT_OK);
    ck_assert_uint_eq(atomic_load(&numbers), 1000);
    ck_assert_int_eq(weft_pool_shutdown(p, WEFT_FINISH, weft_in_ms(1)),
                     WEFT_TIMEOUT);
    weft_event_set(&g.opened);
    weft_pool_destroy(p);
}
END_TEST

static void *
read_as_completed(void *pool)
{
    weft_future *futures[10];
    weft_as_completed *it = NULL;
    size_t n = 0;

    for (int i = 0; i < 10; i++)
        futures[i] = submit(pool, return_arg, pool);
    if (weft_as_completed_create(&it, futures, 10) != WEFT_OK)
        abort();
    for (weft_future *f;
         weft_as_completed_next(it, WEFT_FOREVER, &f) == WEFT_OK;)
        n++;
    weft_as_completed_destroy(it);
    for (int i = 0; i < 10; i++)
        weft_future_release(futures[i]);
    return (void *)n;
}

START_TEST(test_a_task_reads_futures_of_its_pool_as_they_are_done) /* X2, X9 */
{
    weft_pool *p = open_pool(_i, NULL);
    void *n = NULL;

    ck_assert_int_eq(end_of(submit(p, read_as_completed, p), &n), WEFT_OK);
    ck_assert_uint_eq((size_t)n, 10);
    weft_pool_destroy(p);
}
END_TEST

static void
keep_worker(weft_thread *t, void *kept)
{
    if (strcmp(weft_thread_name(t), "parents-0") == 0)
        *(weft_thread **)kept = weft_thread_retain(t);
}

/* What the child of a busy pool finds wrong, 0 for nothing. */
static int
look_as_child(weft_pool *p, const weft_thread *worker, weft_future *running,
              weft_future *queued)
{
    struct fib root = {.n = 5};
    size_t done;

    if (weft_thread_is_alive(worker))
        return 1;
    if (weft_future_wait(running, WEFT_FOREVER) != WEFT_CLOSED ||
        weft_future_result(queued, weft_in_s(100), NULL) != WEFT_CLOSED ||
        weft_wait(&queued, 1, WEFT_ALL_DONE, WEFT_FOREVER, &done) !=
            WEFT_CLOSED)
        return 2;
    if (weft_pool_submit(p, return_arg, NULL, NULL) != WEFT_CLOSED ||
        weft_pool_run(p, &root.task, run_fib) != WEFT_CLOSED)
        return 3;
    if (weft_pool_shutdown(p, WEFT_CANCEL_PENDING, WEFT_FOREVER) != WEFT_CLOSED)
        return 4;
    weft_pool_destroy(p);
    return 0;
}

START_TEST(test_a_child_of_a_busy_pool_gets_closed) /* room 12 */
{
    const weft_pool_options o = {.name_prefix = "parents", .max_pending = 1};
    weft_pool *p = open_pool(_i, &o);
    weft_thread *kept = NULL;
    struct gate g;
    int status;

    weft_thread_enumerate(keep_worker, &kept);
    ck_assert(weft_thread_is_alive(kept));
    occupy(&g, p, weft_pool_workers(p) - 1);
    weft_future *running = submit(p, wait_at_gate, &g);
    while (!weft_future_is_running(running))
        sched_yield();
    weft_future *queued = submit(p, return_arg, NULL);
    const pid_t child = fork();
    if (child == 0)
        _exit(look_as_child(p, kept, running, queued));
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
    weft_event_set(&g.opened);
    ck_assert_int_eq(end_of(running, NULL), WEFT_OK);
    ck_assert_int_eq(end_of(queued, NULL), WEFT_OK);
    weft_thread_release(kept);
    weft_pool_destroy(p);
}
END_TEST

/* --- the stack --------------------------------------------------------------- */

#define STACK_BYTES ((size_t)512 * 1024)
#define LEFT_BYTES  ((size_t)96 * 1024) /* for what waits, and sanitizers */

struct level {
    weft_task task;
    _Atomic unsigned runs;
};

struct dive {
    weft_task task;
    weft_pool *pool;
    const char *end; /* of the stack */
    size_t levels;
    size_t ran;
};

static void
run_level(weft_strand s, weft_task *t)
{
    (void)s;
    atomic_fetch_add(&((struct level *)t)->runs, 1);
}

static void
go_down(weft_strand s, struct dive *d)
{
    struct level here = {.runs = 0};

    d->levels++;
    weft_fork(&s, &here.task, run_level);
    if ((size_t)((const char *)__builtin_frame_address(0) - d->end) >
        LEFT_BYTES)
        go_down(s, d);
    else if (end_of(submit(d->pool, return_arg, d), NULL) != WEFT_OK)
        abort();
    weft_join(&s, &here.task);
    d->ran += atomic_load(&here.runs);
}

static void
run_dive(weft_strand s, weft_task *t)
{
    struct dive *d = (struct dive *)t;
    pthread_attr_t attr;
    void *lowest;
    size_t bytes;

    if (pthread_getattr_np(pthread_self(), &attr) != 0 ||
        pthread_attr_getstack(&attr, &lowest, &bytes) != 0)
        abort();
    pthread_attr_destroy(&attr);
    d->end = lowest;
    go_down(s, d);
}

/* At the bottom it waits for a future, so others run there too. */
START_TEST(test_tasks_recurse_to_near_the_end_of_the_stack)
{
    const weft_pool_options o = {.stack_bytes = STACK_BYTES};
    struct dive d = {.pool = open_pool(_i, &o)};

    for (int i = 0; i < 3; i++) {
        d.levels = d.ran = 0;
        ck_assert_int_eq(weft_pool_run(d.pool, &d.task, run_dive), WEFT_OK);
        ck_assert_uint_ge(d.levels, 100);
        ck_assert_uint_eq(d.ran, d.levels);
    }
    weft_pool_destroy(d.pool);
}
END_TEST

int
main(void)
{
    const struct test tests[] = {
        {&test_workers_that_wait_for_room_run_what_comes, POOLS},
        {&test_a_task_waits_for_room_until_its_deadline, POOLS},
        {&test_the_kth_thread_that_is_not_to_be_had, POOLS},
        {&test_others_are_served_beside_a_task_that_never_returns, POOLS},
        {&test_a_task_reads_futures_of_its_pool_as_they_are_done, POOLS},
        {&test_a_child_of_a_busy_pool_gets_closed, POOLS},
        {&test_tasks_recurse_to_near_the_end_of_the_stack, POOLS},
    };

    return run_tests("pool limits", tests, sizeof(tests) / sizeof(tests[0]),
                     30);
}
