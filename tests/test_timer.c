/* SPDX-License-Identifier: MIT */
#include <weft/timer.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "base/deadline.h"
#include "base/park.h"
#include "base/self.h"
#include "base/tsan.h"
#include "deadlock/watch.h"
#include "testing.h"
#include "thread/task.h"

#ifdef WEFT_TSAN
/* It refuses a forked child its threads unless told otherwise. */
const char *__tsan_default_options(void);

const char *
__tsan_default_options(void)
{
    return "die_after_fork=0:atexit_sleep_ms=100";
}
#endif

/* The linker sends the library's calls here; see the program's LDFLAGS. */
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*run)(void *), void *arg);
enum weft_status __real_weft_park_wait_(_Atomic uint32_t *word,
                                        uint32_t expected,
                                        weft_deadline deadline);
enum weft_status __wrap_weft_park_wait_(_Atomic uint32_t *word,
                                        uint32_t expected,
                                        weft_deadline deadline);

static _Atomic bool no_threads;
static _Atomic int64_t oversleep_ns;

int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                      void *(*run)(void *), void *arg)
{
    if (atomic_load_explicit(&no_threads, memory_order_relaxed))
        return EAGAIN;
    return __real_pthread_create(thread, attr, run, arg);
}

enum weft_status
__wrap_weft_park_wait_(_Atomic uint32_t *word, uint32_t expected,
                       weft_deadline deadline)
{
    const int64_t late =
        atomic_load_explicit(&oversleep_ns, memory_order_relaxed);

    return __real_weft_park_wait_(
        word, expected,
        late > 0 && deadline != WEFT_FOREVER ? deadline + late : deadline);
}

/* How many timer threads there are. */
static unsigned
count_threads(void)
{
    pid_t ids[16];
    const size_t all = weft_tasks_list_(ids, 16);
    struct weft_task t;
    unsigned n = 0;

    for (size_t i = 0; i < all && i < 16; i++)
        n += weft_task_read_(ids[i], &t) && strcmp(t.name, "weft-timer") == 0;
    return n;
}

static void
await_threads(unsigned n)
{
    while (count_threads() != n)
        sched_yield();
}

/* Keeps the timer thread busy until it is opened. */
struct gate {
    sem_t entered;
    sem_t opened;
    weft_timer *timer;
};

static void
stand_in(void *arg)
{
    struct gate *g = arg;

    sem_post(&g->entered);
    while (sem_wait(&g->opened) != 0)
        continue;
}

static void
close_gate(struct gate *g)
{
    sem_init(&g->entered, 0, 0);
    sem_init(&g->opened, 0, 0);
    ck_assert_int_eq(weft_timer_start(&g->timer, WEFT_NOW, stand_in, g),
                     WEFT_OK);
    while (sem_wait(&g->entered) != 0)
        continue;
}

static void
open_gate(struct gate *g)
{
    sem_post(&g->opened);
    ck_assert_int_eq(weft_timer_join(g->timer, WEFT_FOREVER), WEFT_OK);
    weft_timer_release(g->timer);
}

/* What ran, in its order; plain on purpose: a join orders it. */
static int ran[8];
static int ran_count;
static int64_t ran_at;

static void
note(void *arg)
{
    ran[ran_count++] = *(const int *)arg;
    ran_at = weft_clock_ns_();
}

static int numbers[8] = {0, 1, 2, 3, 4, 5, 6, 7};

static weft_timer *
start(weft_deadline when, int number)
{
    weft_timer *t = NULL;

    ck_assert_int_eq(weft_timer_start(&t, when, note, &numbers[number]),
                     WEFT_OK);
    return t;
}

static void
finish(weft_timer *t)
{
    ck_assert_int_eq(weft_timer_join(t, WEFT_FOREVER), WEFT_OK);
    weft_timer_release(t);
}

START_TEST(test_timer_runs_once_and_not_before_its_time)
{
    const weft_deadline when = weft_in_ms(20);

    finish(start(when, 3));
    ck_assert_int_eq(ran_count, 1);
    ck_assert_int_eq(ran[0], 3);
    ck_assert_int_ge(ran_at, when);
}
END_TEST

static void
note_thread(void *arg)
{
    *(pthread_t *)arg = pthread_self();
}

START_TEST(test_timer_with_a_past_deadline_runs_in_the_timer_thread)
{
    static const weft_deadline past[] = {WEFT_NOW, 1, INT64_MIN};

    for (int i = 0; i < 3; i++) {
        pthread_t by = pthread_self();
        weft_timer *t;
        ck_assert_int_eq(weft_timer_start(&t, past[i], note_thread, &by),
                         WEFT_OK);
        ck_assert_int_eq(weft_timer_join(t, weft_in_s(1000)), WEFT_OK);
        ck_assert(!pthread_equal(by, pthread_self()));
        weft_timer_release(t);
    }
}
END_TEST

START_TEST(test_timer_of_forever_ends_by_cancel_only)
{
    weft_timer *t = start(WEFT_FOREVER, 0);

    finish(start(WEFT_NOW, 1));
    ck_assert_int_eq(weft_timer_join(t, weft_in_ms(5)), WEFT_TIMEOUT);
    ck_assert(weft_timer_cancel(t));
    ck_assert_int_eq(weft_timer_join(t, WEFT_FOREVER), WEFT_CANCELLED);
    ck_assert_int_eq(ran_count, 1);
    weft_timer_release(t);
}
END_TEST

START_TEST(test_timer_cancelled_before_its_time_never_runs)
{
    struct gate g;

    close_gate(&g);
    weft_timer *t = start(WEFT_NOW, 1); /* its time has come, it has not run */
    weft_timer *after = start(weft_in_ms(1), 2);
    ck_assert(weft_timer_cancel(t));
    ck_assert(weft_timer_cancel(t)); /* it still never runs */
    open_gate(&g);
    finish(after);
    ck_assert_int_eq(ran_count, 1);
    ck_assert_int_eq(ran[0], 2);
    ck_assert_int_eq(weft_timer_join(t, WEFT_NOW), WEFT_CANCELLED);
    weft_timer_release(t);
}
END_TEST

START_TEST(test_timer_cancel_afterwards_is_a_no_op)
{
    struct gate g;

    close_gate(&g);
    ck_assert(!weft_timer_cancel(g.timer)); /* it runs now */
    sem_post(&g.opened);
    ck_assert_int_eq(weft_timer_join(g.timer, WEFT_FOREVER), WEFT_OK);
    ck_assert(!weft_timer_cancel(g.timer));
    ck_assert_int_eq(weft_timer_join(g.timer, WEFT_NOW), WEFT_OK);
    weft_timer_release(g.timer);
}
END_TEST

START_TEST(test_timer_join_times_out_not_before_its_deadline_and_again)
{
    struct gate g;

    close_gate(&g);
    ck_assert_int_eq(weft_timer_join(g.timer, WEFT_NOW), WEFT_TIMEOUT);
    const weft_deadline end = weft_in_ms(10);
    ck_assert_int_eq(weft_timer_join(g.timer, end), WEFT_TIMEOUT);
    ck_assert_int_ge(weft_clock_ns_(), end);
    ck_assert_int_eq(weft_timer_join(g.timer, end), WEFT_TIMEOUT);
    open_gate(&g);
}
END_TEST

/* The place is the answer. */
static char answers[WEFT_SYSTEM + 1];

static void *
join_it(void *arg)
{
    return &answers[weft_timer_join(arg, WEFT_FOREVER)];
}

START_TEST(test_timer_may_be_joined_by_several)
{
    struct gate g;
    pthread_t joiners[4];

    close_gate(&g);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&joiners[i], NULL, join_it, g.timer),
                         0);
    sem_post(&g.opened);
    for (int i = 0; i < 4; i++) {
        void *result;
        pthread_join(joiners[i], &result);
        ck_assert_ptr_eq(result, &answers[WEFT_OK]);
    }
    weft_timer_release(g.timer);
}
END_TEST

/* Wait until another thread has said that it waits for `object`. */
static void
await_wait_for(const void *object)
{
    for (bool waits = false; !waits; sched_yield()) {
        weft_reclaim_enter_();
        for (struct weft_self *s = weft_self_first_(); s != NULL;
             s = weft_self_next_(s))
            waits = waits || (s->waits_for == object &&
                              s->waits_kind == WEFT_KIND_TIMER);
        weft_reclaim_leave_();
    }
}

START_TEST(test_timer_cancel_wakes_who_joins)
{
    weft_timer *t = start(WEFT_FOREVER, 0);
    pthread_t joiner;
    void *result;

    ck_assert_int_eq(pthread_create(&joiner, NULL, join_it, t), 0);
    await_wait_for(t);
    ck_assert(weft_timer_cancel(t));
    pthread_join(joiner, &result);
    ck_assert_ptr_eq(result, &answers[WEFT_CANCELLED]);
    weft_timer_release(t);
}
END_TEST

START_TEST(test_thread_cancelled_in_a_join_leaves_the_timer_usable)
{
    struct gate g;
    pthread_t joiner;
    void *result;

    close_gate(&g);
    ck_assert_int_eq(pthread_create(&joiner, NULL, join_it, g.timer), 0);
    await_wait_for(g.timer);
    pthread_cancel(joiner);
    pthread_join(joiner, &result);
    ck_assert_ptr_eq(result, PTHREAD_CANCELED);
    open_gate(&g);
}
END_TEST

struct inner {
    weft_timer *self;
    weft_timer *other;
    sem_t know;
    enum weft_status joined[4];
};

static void
join_inside(void *arg)
{
    struct inner *i = arg;

    while (sem_wait(&i->know) != 0)
        continue;
    i->joined[0] = weft_timer_join(i->self, WEFT_FOREVER);
    i->joined[1] = weft_timer_join(i->self, WEFT_NOW);
    i->joined[2] = weft_timer_join(i->other, weft_in_s(1000));
    weft_timer_cancel(i->other);
    i->joined[3] = weft_timer_join(i->other, WEFT_FOREVER);
}

START_TEST(test_timer_joined_in_a_callback_is_a_deadlock)
{
    struct inner i;

    sem_init(&i.know, 0, 0);
    ck_assert_int_eq(weft_timer_start(&i.self, WEFT_NOW, join_inside, &i),
                     WEFT_OK);
    i.other = start(WEFT_FOREVER, 0);
    sem_post(&i.know);
    finish(i.self);
    ck_assert_int_eq(i.joined[0], WEFT_DEADLOCK);
    ck_assert_int_eq(i.joined[1], WEFT_TIMEOUT);
    ck_assert_int_eq(i.joined[2], WEFT_DEADLOCK);
    ck_assert_int_eq(i.joined[3], WEFT_CANCELLED);
    weft_timer_release(i.other);
}
END_TEST

struct chain {
    weft_timer *self; /* written by the start, before it runs */
    int left;
    sem_t done;
};

static void
go_on(void *arg)
{
    struct chain *c = arg;

    weft_timer_release(c->self);
    if (c->left-- == 0)
        sem_post(&c->done);
    else if (weft_timer_start(&c->self, weft_in_us(10), go_on, c) != WEFT_OK)
        abort();
}

START_TEST(test_callback_starts_timers_and_releases_itself)
{
    struct chain c = {.left = 100};

    sem_init(&c.done, 0, 0);
    ck_assert_int_eq(weft_timer_start(&c.self, WEFT_NOW, go_on, &c), WEFT_OK);
    while (sem_wait(&c.done) != 0)
        continue;
    ck_assert_int_eq(c.left, -1);
}
END_TEST

static void
post(void *arg)
{
    sem_post(arg);
}

START_TEST(test_timer_released_still_runs)
{
    sem_t done;

    sem_init(&done, 0, 0);
    weft_timer *t;
    ck_assert_int_eq(weft_timer_start(&t, weft_in_ms(5), post, &done), WEFT_OK);
    weft_timer_release(t);
    ck_assert_int_eq(weft_timer_start(NULL, weft_in_ms(5), post, &done),
                     WEFT_OK);
    for (int i = 0; i < 2; i++)
        while (sem_wait(&done) != 0)
            continue;
    weft_timer_release(NULL);
}
END_TEST

START_TEST(test_late_timers_run_in_the_order_of_deadlines)
{
    static const int order[] = {5, 1, 4, 0, 3, 2};
    const weft_deadline begin = weft_clock_ns_();
    weft_timer *timers[6];
    struct gate g;

    close_gate(&g); /* a callback that takes long */
    for (int i = 0; i < 6; i++)
        timers[i] = start(begin + order[i], order[i]);
    open_gate(&g);
    for (int i = 0; i < 6; i++)
        finish(timers[i]);
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(ran[i], i);
}
END_TEST

START_TEST(test_equal_deadlines_run_in_the_order_of_start)
{
    const weft_deadline when = weft_clock_ns_();
    weft_timer *timers[8];
    struct gate g;

    close_gate(&g);
    for (int i = 0; i < 8; i++)
        timers[i] = start(when, i);
    open_gate(&g);
    for (int i = 0; i < 8; i++)
        finish(timers[i]);
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(ran[i], i);
}
END_TEST

START_TEST(test_timer_thread_that_oversleeps_loses_none)
{
    weft_timer *timers[4];
    struct gate g;

    close_gate(&g);
    const int64_t begin = weft_clock_ns_();
    for (int i = 3; i >= 0; i--)
        timers[i] = start(begin + (i + 1) * INT64_C(5000000), i);
    oversleep_ns = 12 * 1000 * 1000;
    open_gate(&g); /* and now it sleeps, too long */
    for (int i = 0; i < 4; i++)
        finish(timers[i]);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(ran[i], i);
}
END_TEST

START_TEST(test_earlier_timer_wakes_the_thread)
{
    ck_assert_uint_eq(count_threads(), 0);
    weft_timer *late = start(weft_in_s(1000), 0);
    await_threads(1);
    finish(start(weft_in_ms(1), 1));
    ck_assert(weft_timer_cancel(late));
    weft_timer_release(late);
}
END_TEST

START_TEST(test_no_thread_while_there_are_no_timers)
{
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(count_threads(), 0);
        weft_timer *t = start(weft_in_s(1000), 0);
        weft_timer *u = start(weft_in_s(2000), 0);
        ck_assert_uint_eq(count_threads(), 1);
        ck_assert(weft_timer_cancel(t));
        ck_assert(weft_timer_cancel(u));
        weft_timer_release(t);
        weft_timer_release(u);
        await_threads(0);
    }
}
END_TEST

START_TEST(test_start_without_a_thread_to_be_had_is_a_system_error)
{
    weft_timer *t = NULL;

    no_threads = true;
    errno = 0;
    alloc_fail_at(0);
    const enum weft_status s = weft_timer_start(&t, WEFT_NOW, note, NULL);
    const int error = errno;
    alloc_fail_stop();
    ck_assert_int_eq(s, WEFT_SYSTEM);
    ck_assert_int_eq(error, EAGAIN);
    ck_assert_ptr_null(t);
    ck_assert_uint_eq(alloc_live(), 0);
    no_threads = false;
    finish(start(WEFT_NOW, 1));
    ck_assert_int_eq(ran_count, 1);
}
END_TEST

START_TEST(test_start_without_memory_changes_nothing)
{
    ck_assert_uint_eq(count_threads(), 0);
    for (unsigned k = 1;; k++) {
        weft_timer *t = NULL;
        alloc_fail_at(k);
        const enum weft_status s =
            weft_timer_start(&t, WEFT_FOREVER, note, NULL);
        const unsigned asked = alloc_fail_stop();
        if (s == WEFT_OK)
            ck_assert(weft_timer_cancel(t));
        else
            ck_assert_ptr_null(t);
        weft_timer_release(t);
        await_threads(0); /* it has given the heap back */
        ck_assert_uint_eq(alloc_live(), 0);
        ck_assert_int_eq(s, asked < k ? WEFT_OK : WEFT_NO_MEMORY);
        if (asked < k)
            break;
    }
}
END_TEST

START_TEST(test_start_without_a_function_is_invalid)
{
    weft_timer *t = NULL;

    ck_assert_uint_eq(count_threads(), 0);
    ck_assert_int_eq(weft_timer_start(&t, WEFT_NOW, NULL, NULL), WEFT_INVALID);
    ck_assert_ptr_null(t);
    ck_assert_uint_eq(count_threads(), 0);
}
END_TEST

#define MANY 100000

struct one {
    weft_timer *timer;
    weft_deadline when;
    int number;
    bool cancelled;
};

static struct one many[MANY];
static const struct one *last_run;
static int out_of_order;
static int many_ran;

static void
check_order(void *arg)
{
    const struct one *o = arg;

    if (o->cancelled || (last_run != NULL && (last_run->when > o->when ||
                                              (last_run->when == o->when &&
                                               last_run->number > o->number))))
        out_of_order++;
    last_run = o;
    many_ran++;
}

START_TEST(test_hundred_thousand_timers_run_in_order_but_for_the_cancelled)
{
    const weft_deadline begin = weft_clock_ns_();
    uint32_t seed = 12345;
    struct gate g;
    int cancelled = 0;

    close_gate(&g);
    for (int i = 0; i < MANY; i++) {
        seed = seed * 1664525u + 1013904223u;
        many[i].when = begin - (int64_t)(seed >> 16); /* many are equal */
        many[i].number = i;
        if (weft_timer_start(&many[i].timer, many[i].when, check_order,
                             &many[i]) != WEFT_OK)
            abort();
        seed = seed * 1664525u + 1013904223u;
        struct one *other = &many[seed % (uint32_t)(i + 1)];
        if (i % 3 == 0 && !other->cancelled) {
            other->cancelled = true;
            cancelled++;
            if (!weft_timer_cancel(other->timer))
                abort();
        }
    }
    open_gate(&g);
    for (int i = 0; i < MANY; i++) {
        if (weft_timer_join(many[i].timer, WEFT_FOREVER) !=
            (many[i].cancelled ? WEFT_CANCELLED : WEFT_OK))
            abort();
        weft_timer_release(many[i].timer);
    }
    ck_assert_int_eq(out_of_order, 0);
    ck_assert_int_gt(cancelled, MANY / 10);
    ck_assert_int_eq(many_ran, MANY - cancelled);
}
END_TEST

static void
expect_success(pid_t child)
{
    int status;

    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

START_TEST(test_forked_child_has_no_timers_of_its_parent)
{
    struct gate g;

    close_gate(&g);
    weft_timer *t = start(WEFT_NOW, 1);
    const pid_t child = fork();
    if (child == 0) {
        int bad = weft_timer_join(t, WEFT_FOREVER) != WEFT_CANCELLED;
        bad += weft_timer_join(g.timer, WEFT_FOREVER) != WEFT_CANCELLED;
        weft_timer_release(t);
        weft_timer_release(g.timer);
        weft_timer *mine;
        bad += weft_timer_start(&mine, weft_in_ms(1), note, &numbers[2]) !=
               WEFT_OK;
        bad += weft_timer_join(mine, WEFT_FOREVER) != WEFT_OK;
        bad += ran_count != 1 || ran[0] != 2;
        weft_timer_release(mine);
        _exit(bad);
    }
    expect_success(child);
    open_gate(&g);
    finish(t);
    ck_assert_int_eq(ran_count, 1);
}
END_TEST

struct forking {
    weft_timer *pending;
    pid_t child;
};

static void
fork_inside(void *arg)
{
    struct forking *f = arg;

    f->child = fork();
    if (f->child != 0)
        return;
    int bad = weft_timer_join(f->pending, WEFT_FOREVER) != WEFT_CANCELLED;
    bad += weft_timer_start(NULL, WEFT_NOW, note, &numbers[0]) != WEFT_OK;
    _exit(bad);
}

START_TEST(test_callback_that_forks_goes_on_in_the_child)
{
    struct forking f;
    weft_timer *t;

    f.pending = start(WEFT_FOREVER, 1);
    ck_assert_int_eq(weft_timer_start(&t, WEFT_NOW, fork_inside, &f), WEFT_OK);
    finish(t);
    expect_success(f.child);
    ck_assert(weft_timer_cancel(f.pending));
    weft_timer_release(f.pending);
}
END_TEST

START_TEST(test_pending_timer_does_not_keep_the_process)
{
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        weft_timer *t;
        exit(weft_timer_start(&t, weft_in_s(1000), note, NULL) != WEFT_OK);
    }
    expect_success(child);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_timer_runs_once_and_not_before_its_time, 1},
        {&test_timer_with_a_past_deadline_runs_in_the_timer_thread, 1},
        {&test_timer_of_forever_ends_by_cancel_only, 1},
        {&test_timer_cancelled_before_its_time_never_runs, 1},
        {&test_timer_cancel_afterwards_is_a_no_op, 1},
        {&test_timer_join_times_out_not_before_its_deadline_and_again, 1},
        {&test_timer_may_be_joined_by_several, 1},
        {&test_timer_cancel_wakes_who_joins, 1},
        {&test_thread_cancelled_in_a_join_leaves_the_timer_usable, 1},
        {&test_timer_joined_in_a_callback_is_a_deadlock, 1},
        {&test_callback_starts_timers_and_releases_itself, 1},
        {&test_timer_released_still_runs, 1},
        {&test_late_timers_run_in_the_order_of_deadlines, 1},
        {&test_equal_deadlines_run_in_the_order_of_start, 1},
        {&test_timer_thread_that_oversleeps_loses_none, 1},
        {&test_earlier_timer_wakes_the_thread, 1},
        {&test_no_thread_while_there_are_no_timers, 1},
        {&test_start_without_a_thread_to_be_had_is_a_system_error, 1},
        {&test_start_without_memory_changes_nothing, 1},
        {&test_start_without_a_function_is_invalid, 1},
        {&test_hundred_thousand_timers_run_in_order_but_for_the_cancelled, 1},
        {&test_forked_child_has_no_timers_of_its_parent, 1},
        {&test_callback_that_forks_goes_on_in_the_child, 1},
        {&test_pending_timer_does_not_keep_the_process, 1},
    };

    return run_tests("timer", tests, sizeof(tests) / sizeof(tests[0]), 20);
}
