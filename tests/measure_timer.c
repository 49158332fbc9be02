/* SPDX-License-Identifier: MIT */
/*
 * measure_timer.c - what a timer costs and how late it is, beside what the
 * system has, for doc/design/timer.md.
 */
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <weft/timer.h>

#include "base/deadline.h"

#define PAIRS 100000
#define SHOTS 1000

static sem_t ran;
static int64_t ran_at;

static void
note(void *arg)
{
    (void)arg;
    ran_at = weft_clock_ns_();
    sem_post(&ran);
}

static void
note_signal(union sigval value)
{
    note(value.sival_ptr);
}

static double
per_pair(int64_t begin)
{
    return (double)(weft_clock_ns_() - begin) / PAIRS;
}

static double
pair_weft(int others)
{
    weft_timer **kept = calloc((size_t)others + 1, sizeof(*kept));
    weft_timer *t;

    for (int i = 0; i < others; i++)
        if (weft_timer_start(&kept[i], weft_in_s(1000 + i % 977), note, NULL) !=
            WEFT_OK)
            abort();
    const int64_t begin = weft_clock_ns_();
    for (int i = 0; i < PAIRS; i++) {
        if (weft_timer_start(&t, weft_in_s(1000 + i % 977), note, NULL) !=
            WEFT_OK)
            abort();
        weft_timer_cancel(t);
        weft_timer_release(t);
    }
    const double ns = per_pair(begin);
    for (int i = 0; i < others; i++) {
        weft_timer_cancel(kept[i]);
        weft_timer_release(kept[i]);
    }
    free(kept);
    return ns;
}

static timer_t
create_posix(void)
{
    timer_t t;
    struct sigevent how;

    memset(&how, 0, sizeof(how));
    how.sigev_notify = SIGEV_THREAD;
    how.sigev_notify_function = note_signal;
    if (timer_create(CLOCK_MONOTONIC, &how, &t) != 0)
        abort();
    return t;
}

static double
pair_posix(void)
{
    const struct itimerspec far = {.it_value = {1000, 0}};
    const int64_t begin = weft_clock_ns_();

    for (int i = 0; i < PAIRS; i++) {
        timer_t t = create_posix();
        timer_settime(t, 0, &far, NULL);
        timer_delete(t);
    }
    return per_pair(begin);
}

static double
pair_timerfd(void)
{
    const struct itimerspec far = {.it_value = {1000, 0}};
    const int64_t begin = weft_clock_ns_();

    for (int i = 0; i < PAIRS; i++) {
        const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
        timerfd_settime(fd, 0, &far, NULL);
        close(fd);
    }
    return per_pair(begin);
}

static void
shoot_weft(weft_deadline when)
{
    if (weft_timer_start(NULL, when, note, NULL) != WEFT_OK)
        abort();
    sem_wait(&ran);
}

static void
shoot_posix(weft_deadline when)
{
    static timer_t t;
    static bool is_there;
    const struct itimerspec at = {.it_value = weft_deadline_timespec_(when)};

    if (!is_there)
        t = create_posix();
    is_there = true;
    timer_settime(t, TIMER_ABSTIME, &at, NULL);
    sem_wait(&ran);
}

static void
shoot_timerfd(weft_deadline when)
{
    const struct itimerspec at = {.it_value = weft_deadline_timespec_(when)};
    const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    uint64_t times;

    timerfd_settime(fd, TFD_TIMER_ABSTIME, &at, NULL);
    if (read(fd, &times, sizeof(times)) < 0)
        abort();
    ran_at = weft_clock_ns_();
    close(fd);
}

static int
compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static void
measure_late(const char *name, void (*shoot)(weft_deadline when))
{
    static int64_t late[SHOTS];

    for (int i = 0; i < SHOTS; i++) {
        const weft_deadline when = weft_in_ms(2);
        shoot(when);
        late[i] = ran_at - when;
    }
    qsort(late, SHOTS, sizeof(late[0]), compare);
    printf("%-22s %8.1f %8.1f %8.1f\n", name, (double)late[SHOTS / 2] / 1e3,
           (double)late[SHOTS * 99 / 100] / 1e3, (double)late[SHOTS - 1] / 1e3);
}

int
main(void)
{
    sem_init(&ran, 0, 0);
    printf("start and cancel [ns]\n");
    printf("%-22s %8.0f\n", "weft", pair_weft(0));
    printf("%-22s %8.0f\n", "weft, among 100 000", pair_weft(100000));
    printf("%-22s %8.0f\n", "timerfd", pair_timerfd());
    printf("%-22s %8.0f\n", "timer_create", pair_posix());
    printf("late [us]                  p50      p99      max\n");
    measure_late("weft", shoot_weft);
    measure_late("timerfd, read", shoot_timerfd);
    measure_late("timer_create, thread", shoot_posix);
    return 0;
}
