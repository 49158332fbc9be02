/* SPDX-License-Identifier: MIT */
/*
 * test_contract_pool_fork.c - fork, reclaim and join.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "pools.h"
#include "testing.h"

static void
run(weft_pool *p, weft_task *t, weft_task_fn *fn)
{
    if (weft_pool_run(p, t, fn) != WEFT_OK)
        abort();
}

START_TEST(test_run_returns_when_all_is_done)
{
    weft_pool *p = open_pool(_i, NULL);

    for (long n = 0; n < 20; n++) {
        struct fib root = {.n = n};
        ck_assert_int_eq(weft_pool_run(p, &root.task, run_fib), WEFT_OK);
        ck_assert_int_eq(root.n, fib_of(n));
    }
    weft_pool_destroy(p);
}
END_TEST

/* --- many forks at once ------------------------------------------------------ */

struct one {
    weft_task task;
    _Atomic unsigned runs;
};

struct flat {
    weft_task task;
    struct one *ones;
    size_t n;
    size_t ours; /* that were reclaimed */
};

static void
run_one(weft_strand s, weft_task *t)
{
    (void)s;
    count_one(&((struct one *)t)->runs);
}

static void
run_flat(weft_strand s, weft_task *t)
{
    struct flat *f = (struct flat *)t;

    for (size_t i = 0; i < f->n; i++)
        weft_fork(&s, &f->ones[i].task, run_one);
    for (size_t i = f->n; i-- > 0;)
        if (weft_reclaim(&s, &f->ones[i].task)) {
            f->ours++;
            run_one(s, &f->ones[i].task);
        }
}

static void
check_flat(int form, size_t n)
{
    struct flat f = {.ones = calloc(n, sizeof(*f.ones)), .n = n};
    weft_pool *p = open_pool(form, NULL);
    size_t wrong = 0;
    weft_pool_stats stats;

    ck_assert_ptr_nonnull(f.ones);
    run(p, &f.task, run_flat);
    for (size_t i = 0; i < n; i++)
        wrong += atomic_load(&f.ones[i].runs) != 1;
    ck_assert_uint_eq(wrong, 0);
    weft_pool_get_stats(p, &stats);
    if (n < (1 << 20))
        ck_assert_uint_eq(stats.stolen, n - f.ours);
    ck_assert_uint_eq(stats.executed, 1 + stats.stolen);
    weft_pool_destroy(p);
    free(f.ones);
}

START_TEST(test_every_fork_runs_exactly_once)
{
    check_flat(_i, 20000);
}
END_TEST

START_TEST(test_there_is_no_bound_for_forks)
{
    check_flat(_i == 0 ? 0 : 4, (1 << 20) + 1000);
}
END_TEST

/* --- what is stolen ----------------------------------------------------------- */

struct meeting {
    weft_task task;
    _Atomic bool began;
    _Atomic bool may_end;
    _Atomic bool ended;
    bool reclaimed;
};

static void
run_guest(weft_strand s, weft_task *t)
{
    struct meeting *m = (struct meeting *)t;

    (void)s;
    atomic_store(&m->began, true);
    while (!atomic_load(&m->may_end))
        sched_yield();
    atomic_store(&m->ended, true);
}

static void
run_nothing(weft_strand s, weft_task *t)
{
    (void)s;
    (void)t;
}

/* Fork and join until somebody has taken the guest. */
static void
fork_until_taken(weft_strand s, struct meeting *m)
{
    while (!atomic_load(&m->began)) {
        weft_task t;
        weft_fork(&s, &t, run_nothing);
        weft_join(&s, &t);
    }
}

static void
run_host(weft_strand s, weft_task *t)
{
    struct meeting *m = (struct meeting *)t;
    struct meeting guest = {.began = false};

    weft_fork(&s, &guest.task, run_guest);
    fork_until_taken(s, &guest);
    atomic_store(&guest.may_end, true);
    m->reclaimed = weft_reclaim(&s, &guest.task);
    m->ended = atomic_load(&guest.ended);
}

START_TEST(test_another_worker_takes_what_waits_and_reclaim_says_so)
{
    struct meeting m = {.reclaimed = true};
    weft_pool *p = open_pool(_i, NULL);

    if (weft_pool_workers(p) > 1) {
        run(p, &m.task, run_host);
        ck_assert(!m.reclaimed);
        ck_assert(atomic_load(&m.ended));
    }
    weft_pool_destroy(p);
}
END_TEST

static struct meeting *_Atomic held;

/* The join has to wait: the guest ends only when somebody else says so. */
static void
run_waiting_host(weft_strand s, weft_task *t)
{
    struct meeting guest = {.began = false};

    (void)t;
    weft_fork(&s, &guest.task, run_guest);
    fork_until_taken(s, &guest);
    atomic_store(&held, &guest);
    if (weft_reclaim(&s, &guest.task) || !atomic_load(&guest.ended))
        abort();
}

static void *
let_go(void *pool)
{
    struct meeting *m;
    weft_pool_stats stats = {0};

    while ((m = atomic_load(&held)) == NULL)
        sched_yield();
    while (stats.parked == 0) /* one of them sleeps by now */
        weft_pool_get_stats(pool, &stats);
    atomic_store(&m->may_end, true);
    return NULL;
}

START_TEST(test_join_waits_for_who_has_stolen)
{
    weft_pool *p = open_pool(_i, NULL);
    pthread_t other;
    weft_task t;

    if (weft_pool_workers(p) > 1) {
        ck_assert_int_eq(pthread_create(&other, NULL, let_go, p), 0);
        run(p, &t, run_waiting_host);
        pthread_join(other, NULL);
    }
    weft_pool_destroy(p);
}
END_TEST

/* Every worker gets a part, also one that slept: each part waits for all. */
struct party {
    weft_task task;
    _Atomic unsigned *present;
    unsigned all;
};

static void
run_guest_of_all(weft_strand s, weft_task *t)
{
    struct party *a = (struct party *)t;

    (void)s;
    count_one(a->present);
    while (atomic_load(a->present) < a->all)
        sched_yield();
}

static void
run_party(weft_strand s, weft_task *t)
{
    struct party *a = (struct party *)t;
    struct party parts[8];

    for (unsigned i = 1; i < a->all; i++) {
        parts[i] = *a;
        weft_fork(&s, &parts[i].task, run_guest_of_all);
    }
    count_one(a->present);
    while (atomic_load(a->present) < a->all) {
        weft_task nothing;
        weft_fork(&s, &nothing, run_nothing);
        weft_join(&s, &nothing);
    }
    for (unsigned i = a->all; --i > 0;)
        weft_join(&s, &parts[i].task);
}

START_TEST(test_all_workers_come_to_help)
{
    _Atomic unsigned present;
    weft_pool *p = open_pool(_i, NULL);
    struct party a = {.present = &present, .all = weft_pool_workers(p)};
    weft_pool_stats stats;

    for (int round = 0; round < 20; round++) {
        atomic_store(&present, 0);
        do
            weft_pool_get_stats(p, &stats);
        while (round % 2 == 0 && a.all > 1 && stats.parked == 0);
        run(p, &a.task, run_party);
        ck_assert_uint_eq(atomic_load(&present), a.all);
    }
    weft_pool_destroy(p);
}
END_TEST

/* What runs on after a shutdown still gets help, again and again. */
struct late {
    weft_task task;
    weft_pool *pool;
    _Atomic bool inside;
    _Atomic bool closed;
};

static void
run_late(weft_strand s, weft_task *t)
{
    struct late *l = (struct late *)t;
    _Atomic unsigned present;
    struct party a = {.present = &present, .all = 2};
    weft_pool_stats stats = {0};

    atomic_store(&l->inside, true);
    while (!atomic_load(&l->closed))
        sched_yield();
    for (int round = 0; round < 10; round++) {
        const uint64_t parked = stats.parked;
        while (stats.parked == parked) /* somebody sleeps again */
            weft_pool_get_stats(l->pool, &stats);
        atomic_store(&present, 0);
        run_party(s, &a.task);
    }
}

static void *
enter_late(void *late)
{
    struct late *l = late;

    run(l->pool, &l->task, run_late);
    return NULL;
}

START_TEST(test_workers_help_until_all_is_over)
{
    struct late l = {.pool = open_pool_of(_i, 2)};
    pthread_t other;

    ck_assert_int_eq(pthread_create(&other, NULL, enter_late, &l), 0);
    while (!atomic_load(&l.inside))
        sched_yield();
    ck_assert_int_eq(weft_pool_shutdown(l.pool, WEFT_FINISH, WEFT_NOW),
                     WEFT_TIMEOUT);
    atomic_store(&l.closed, true);
    pthread_join(other, NULL);
    weft_pool_destroy(l.pool);
}
END_TEST

/* --- runs in runs --------------------------------------------------------------- */

static void *
fib_in_task(void *pool)
{
    struct fib root = {.n = 12};

    run(pool, &root.task, run_fib);
    return (void *)(size_t)root.n;
}

START_TEST(test_task_runs_strands)
{
    weft_pool *p = open_pool(_i, NULL);
    weft_future *futures[20];
    void *result;

    for (int i = 0; i < 20; i++)
        futures[i] = submit(p, fib_in_task, p);
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(end_of(futures[i], &result), WEFT_OK);
        ck_assert_uint_eq((size_t)result, (size_t)fib_of(12));
    }
    weft_pool_destroy(p);
}
END_TEST

struct mixed {
    weft_task task;
    weft_pool *pool;
    long n;
};

static void run_mixed(weft_strand s, weft_task *t);

/* As fib, but now and then through a future, or a run without the strand. */
static long
mixed(weft_strand s, weft_pool *p, long n)
{
    struct mixed a;
    struct fib root = {.n = n - 2};
    void *twelve = NULL;

    if (n < 2)
        return n;
    a.pool = p;
    a.n = n - 1;
    weft_fork(&s, &a.task, run_mixed);
    if (n % 5 == 0)
        (void)!end_of(submit(p, fib_in_task, p), &twelve);
    if (n % 5 == 0 && (long)(size_t)twelve != fib_of(12))
        abort();
    run(p, &root.task, run_fib);
    weft_join(&s, &a.task);
    return root.n + a.n;
}

static void
run_mixed(weft_strand s, weft_task *t)
{
    struct mixed *m = (struct mixed *)t;

    m->n = mixed(s, m->pool, m->n);
}

START_TEST(test_strands_wait_for_futures_and_run_runs)
{
    weft_pool *p = open_pool(_i, NULL);
    struct mixed m = {.pool = p, .n = 16};

    run(p, &m.task, run_mixed);
    ck_assert_int_eq(m.n, fib_of(16));
    weft_pool_destroy(p);
}
END_TEST

static void *
run_some(void *pool)
{
    for (int i = 0; i < 30; i++) {
        struct fib root = {.n = i % 15};
        run(pool, &root.task, run_fib);
        if (root.n != fib_of(i % 15))
            abort();
    }
    return NULL;
}

START_TEST(test_several_threads_run)
{
    pthread_t threads[4];
    weft_pool *p = open_pool(_i, NULL);

    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run_some, p), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    weft_pool_destroy(p);
}
END_TEST

static void *
fail_after_a_run(void *pool)
{
    struct fib root = {.n = 15};
    void *failed = weft_fail(3, "first");

    run(pool, &root.task, run_fib);
    (void)!end_of(submit(pool, fail_it, pool), NULL);
    return failed;
}

START_TEST(test_failures_of_what_runs_meanwhile_are_its_own)
{
    weft_pool *p = open_pool(_i, NULL);
    weft_future *f = submit(p, fail_after_a_run, p);
    const weft_error *e = NULL;

    ck_assert_int_eq(weft_future_error(f, WEFT_FOREVER, &e), WEFT_FAILED);
    ck_assert_int_eq(e->code, 3);
    ck_assert_str_eq(e->message, "first");
    weft_future_release(f);
    weft_pool_destroy(p);
}
END_TEST

static void
run_by_address(weft_strand s, weft_task *t)
{
    void (*volatile forks)(weft_strand *, weft_task *, weft_task_fn *) =
        weft_fork;
    bool (*volatile reclaims)(weft_strand *, weft_task *) = weft_reclaim;
    void (*volatile joins)(weft_strand *, weft_task *) = weft_join;
    struct one *ones = ((struct flat *)t)->ones;

    forks(&s, &ones[0].task, run_one);
    forks(&s, &ones[1].task, run_one);
    joins(&s, &ones[1].task);
    if (reclaims(&s, &ones[0].task))
        run_one(s, &ones[0].task);
}

START_TEST(test_what_is_inlined_has_an_address)
{
    struct one ones[2] = {{.runs = 0}, {.runs = 0}};
    struct flat f = {.ones = ones};
    weft_pool *p = open_pool(_i, NULL);

    run(p, &f.task, run_by_address);
    ck_assert_uint_eq(atomic_load(&ones[0].runs), 1);
    ck_assert_uint_eq(atomic_load(&ones[1].runs), 1);
    weft_pool_destroy(p);
}
END_TEST

int
main(void)
{
    const struct test tests[] = {
        {&test_run_returns_when_all_is_done, POOLS},
        {&test_every_fork_runs_exactly_once, POOLS},
        {&test_there_is_no_bound_for_forks, 2},
        {&test_another_worker_takes_what_waits_and_reclaim_says_so, POOLS},
        {&test_join_waits_for_who_has_stolen, POOLS},
        {&test_all_workers_come_to_help, POOLS},
        {&test_workers_help_until_all_is_over, POOLS},
        {&test_task_runs_strands, POOLS},
        {&test_strands_wait_for_futures_and_run_runs, POOLS},
        {&test_several_threads_run, POOLS},
        {&test_failures_of_what_runs_meanwhile_are_its_own, POOLS},
        {&test_what_is_inlined_has_an_address, POOLS},
    };

    return run_tests("pool fork", tests, sizeof(tests) / sizeof(tests[0]), 30);
}
