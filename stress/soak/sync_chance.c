/* SPDX-License-Identifier: MIT */
/*
 * sync_chance.c - what the threads of a soak do to come to each other's calls
 * in every order: pauses, deadlines, cancellations.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "progress.h"
#include "soak/sync.h"

#define NAP_NS      50000
#define BUSY_LOOPS  300
#define DEADLINE_US 300
#define MEET_MS     100
#define LOOKS       500
#define LOOK_US     1000

void
soak_nap(struct soak_hand *h, unsigned most_ns)
{
    nanosleep(&(struct timespec){.tv_nsec = (long)soak_below(h, most_ns)},
              NULL);
}

void
soak_pause(struct soak_hand *h)
{
    const unsigned draw = soak_below(h, 64);

    if (draw == 0) {
        soak_nap(h, NAP_NS);
    } else if (draw < 8) {
        sched_yield();
    } else if (draw < 24) {
        for (unsigned left = soak_below(h, BUSY_LOOPS); left > 0; left--)
            __asm__ volatile("" ::: "memory");
    }
}

weft_deadline
soak_deadline(struct soak_hand *h)
{
    const unsigned draw = soak_below(h, 16);

    if (draw < 8)
        return WEFT_FOREVER;
    return draw < 10 ? WEFT_NOW : weft_in_us(soak_below(h, DEADLINE_US));
}

void
soak_timed_out(struct soak_hand *h, weft_deadline deadline)
{
    const int64_t now = clock_ns();

    if (deadline == WEFT_FOREVER)
        soak_fault(h->run, "a wait without a deadline timed out");
    else if (now < deadline)
        soak_fault(h->run, "a wait timed out %lld ns before its deadline",
                   (long long)(deadline - now));
}

bool
soak_cancel(struct soak_hand *h, void *(*fn)(void *arg), void *arg)
{
    pthread_t thread;
    void *result = NULL;

    if (pthread_create(&thread, NULL, fn, arg) != 0)
        return false;
    if (soak_one_in(h, 2))
        soak_nap(h, 4 * NAP_NS);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    return result == PTHREAD_CANCELED;
}

/* The line of a sleeping thread begins with the number of its call. */
static bool
sleeps(pid_t tid)
{
    char name[64];
    char line[32] = "";

    snprintf(name, sizeof(name), "/proc/self/task/%d/syscall", (int)tid);
    const int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const ssize_t n = read(fd, line, sizeof(line) - 1);
    close(fd);
    char *end;
    const long number = strtol(line, &end, 10);
    return n > 0 && end != line && number == SYS_futex;
}

/* Sleeps for a lock until it is let go. */
struct sleeper {
    pthread_mutex_t lock;
    _Atomic pid_t tid;
};

static void *
sleep_for_lock(void *arg)
{
    struct sleeper *s = arg;

    atomic_store_explicit(&s->tid, gettid(), memory_order_relaxed);
    pthread_mutex_lock(&s->lock);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

bool
soak_can_see_sleep(void)
{
    struct sleeper s = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t thread;
    bool seen = false;

    pthread_mutex_lock(&s.lock);
    if (pthread_create(&thread, NULL, sleep_for_lock, &s) != 0)
        return false;
    for (int i = 0; i < LOOKS && !seen; i++) {
        usleep(LOOK_US);
        const pid_t tid = atomic_load_explicit(&s.tid, memory_order_relaxed);
        seen = tid != 0 && sleeps(tid);
    }
    pthread_mutex_unlock(&s.lock);
    pthread_join(thread, NULL);
    return seen;
}

bool
soak_all_sleep(struct soak_hand *h)
{
    for (unsigned i = 0; i < h->count; i++) {
        const pid_t tid =
            atomic_load_explicit(&h->run->hands[i].tid, memory_order_relaxed);
        if (i != h->index && !sleeps(tid))
            return false;
    }
    return true;
}

void
soak_meeting_init(struct soak_meeting *m)
{
    pthread_condattr_t monotonic;

    pthread_mutex_init(&m->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&m->moved, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

bool
soak_meet(struct soak_hand *h, struct soak_meeting *m)
{
    pthread_mutex_lock(&m->lock);
    const unsigned round = m->round;
    m->arrived++;
    if (m->arrived == h->count) {
        m->arrived = 0;
        m->round++;
        pthread_cond_broadcast(&m->moved);
    }
    while (m->round == round && !soak_has_failed(h)) {
        const int64_t until = clock_ns() + MEET_MS * INT64_C(1000000);
        const struct timespec t = {.tv_sec = (time_t)(until / 1000000000),
                                   .tv_nsec = (long)(until % 1000000000)};
        pthread_cond_timedwait(&m->moved, &m->lock, &t);
    }
    pthread_mutex_unlock(&m->lock);
    return !soak_has_failed(h);
}
