/* SPDX-License-Identifier: MIT */
#include "timing.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "base/deadline.h"
#include "base/park.h"
#include "base/tsan.h"
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

_Atomic bool no_threads;
_Atomic int64_t oversleep_ns;
_Atomic weft_deadline sleeps_until;

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

    atomic_store_explicit(&sleeps_until, deadline, memory_order_relaxed);

    return __real_weft_park_wait_(
        word, expected,
        late > 0 && deadline != WEFT_FOREVER ? deadline + late : deadline);
}

unsigned
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

void
await_threads(unsigned n)
{
    while (count_threads() != n)
        sched_yield();
}

static void
stand_in(void *arg)
{
    struct gate *g = arg;

    sem_post(&g->entered);
    while (sem_wait(&g->opened) != 0)
        continue;
}

void
close_gate(struct gate *g)
{
    sem_init(&g->entered, 0, 0);
    sem_init(&g->opened, 0, 0);
    ck_assert_int_eq(weft_timer_start(&g->timer, WEFT_NOW, stand_in, g),
                     WEFT_OK);
    while (sem_wait(&g->entered) != 0)
        continue;
}

void
open_gate(struct gate *g)
{
    sem_post(&g->opened);
    ck_assert_int_eq(weft_timer_join(g->timer, WEFT_FOREVER), WEFT_OK);
    weft_timer_release(g->timer);
}

int ran[8];
int ran_count;
int64_t ran_at;

void
note(void *arg)
{
    ran[ran_count++] = *(const int *)arg;
    ran_at = weft_clock_ns_();
}

static int numbers[8] = {0, 1, 2, 3, 4, 5, 6, 7};

weft_timer *
start_timer(weft_deadline when, int number)
{
    weft_timer *t = NULL;

    ck_assert_int_eq(weft_timer_start(&t, when, note, &numbers[number]),
                     WEFT_OK);
    return t;
}

void
finish(weft_timer *t)
{
    ck_assert_int_eq(weft_timer_join(t, WEFT_FOREVER), WEFT_OK);
    weft_timer_release(t);
}
