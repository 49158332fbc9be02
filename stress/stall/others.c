/* SPDX-License-Identifier: MIT */
/*
 * others.c - threads at work, and the judgement that they are held up.
 *
 * A verdict must not depend on how busy the machine is.  So no clock decides
 * alone whether a thread is held up:
 *
 *     asleep     the kernel says that it waits, it is inside a round, and both
 *                stay so: a lock-free call waits for nothing
 *     spinning   it has used 100 ms of its own processor time in one round, a
 *                million times what a call takes
 *     refused    it and all others have made 1000 rounds, and nothing moved:
 *                nobody else was in the middle of a call all that time
 *
 * The others are held up when something like this is true of each of them that
 * is not done: nobody is left who could help.
 *
 * Ordering.  Semaphores hand a job to each thread.  The counts are read while
 * they change and carry no data: they are relaxed.  One edge ends a job:
 *
 *     rest   a thread is done with the object  ->  the watcher sees that
 */
#include "stall/others.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "progress.h"

#define ROUNDS_IN_VAIN INT64_C(1000)
#define SPIN_NS        INT64_C(100000000)
#define LOOK_NS        INT64_C(500000)
#define GIVE_UP_NS     INT64_C(10000000000)

const char *const fate_names[FATES] = {"went on", "asleep", "spinning",
                                       "refused"};

struct other {
    struct others *all;
    unsigned index;
    pthread_t thread;
    pid_t id;
    clockid_t clock;
    sem_t go;
    _Atomic int64_t rounds;
    _Atomic int64_t refused_at; /* `moves` when it had worked in vain for
                                   ROUNDS_IN_VAIN; -1: it has not */
    _Atomic bool working;

    /* What the watcher saw last. */
    int64_t rounds_seen;
    int64_t since_ns;
    int64_t spent_ns;
};

struct others {
    const struct subject *subject;
    void *object;
    sem_t news; /* somebody is done, or has worked in vain */
    _Atomic int64_t moves;
    _Atomic bool end; /* of this job, or with `object` NULL of all */
    unsigned count;
    struct other each[SUBJECT_OTHERS_MOST];
};

static void
work(struct other *me)
{
    struct others *o = me->all;
    const struct subject *s = o->subject;
    int64_t moves_seen = -1;
    int64_t in_vain = 0;

    while (!atomic_load_explicit(&o->end, memory_order_relaxed) &&
           !s->is_done(o->object)) {
        if (s->round(o->object, me->index))
            atomic_fetch_add_explicit(&o->moves, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&me->rounds, 1, memory_order_relaxed);

        const int64_t moves =
            atomic_load_explicit(&o->moves, memory_order_relaxed);
        in_vain = moves == moves_seen ? in_vain + 1 : 0;
        moves_seen = moves;
        if (in_vain % 16 == 15)
            sched_yield();
        if (in_vain == ROUNDS_IN_VAIN) {
            atomic_store_explicit(&me->refused_at, moves, memory_order_relaxed);
            sem_post(&o->news);
        }
    }
}

static void *
live(void *arg)
{
    struct other *me = arg;
    struct others *o = me->all;

    me->id = (pid_t)syscall(SYS_gettid);
    sem_post(&o->news);
    for (;;) {
        while (sem_wait(&me->go) != 0 && errno == EINTR)
            ;
        if (o->object == NULL)
            return NULL;
        work(me);
        /* release: rest */
        atomic_store_explicit(&me->working, false, memory_order_release);
        sem_post(&o->news);
    }
}

/* Whether the kernel lists the thread as waiting. */
static bool
is_asleep(const struct other *t)
{
    char path[64];
    char text[256];

    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)t->id);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (n <= 0)
        return false;
    text[n] = '\0';
    const char *after = strrchr(text, ')'); /* "12 (a name) S 1 ..." */
    return after != NULL && after[1] == ' ' && after[2] == 'S';
}

static int64_t
spent(const struct other *t)
{
    struct timespec used;

    if (clock_gettime(t->clock, &used) != 0)
        return 0;
    return used.tv_sec * INT64_C(1000000000) + used.tv_nsec;
}

static void
notice(struct other *t, int64_t now)
{
    const int64_t rounds =
        atomic_load_explicit(&t->rounds, memory_order_relaxed);

    if (rounds == t->rounds_seen)
        return;
    t->rounds_seen = rounds;
    t->since_ns = now;
    t->spent_ns = spent(t);
}

/* Whether it is inside the round that it was in at the last look. */
static bool
is_inside(const struct other *t)
{
    /* acquire: rest */
    return atomic_load_explicit(&t->working, memory_order_acquire) &&
           atomic_load_explicit(&t->rounds, memory_order_relaxed) ==
               t->rounds_seen;
}

/* What holds `t` up, or WENT_ON if nothing is known to. */
static enum fate
judge(struct other *t, int64_t moves, int64_t patience_ns)
{
    const int64_t now = clock_ns();

    notice(t, now);
    if (atomic_load_explicit(&t->refused_at, memory_order_relaxed) == moves)
        return REFUSED;
    /* Between jobs it sleeps too: look at its round after its state. */
    if (now - t->since_ns >= patience_ns && is_asleep(t) && is_inside(t))
        return ASLEEP;
    if (spent(t) - t->spent_ns >= SPIN_NS || now - t->since_ns >= GIVE_UP_NS)
        return is_inside(t) ? SPINNING : WENT_ON;
    return WENT_ON;
}

/* Whether all are done; if not, `*held` is what holds up each that is not, or
 * WENT_ON. */
static bool
look(struct others *o, int64_t patience_ns, enum fate *held)
{
    const int64_t moves = atomic_load_explicit(&o->moves, memory_order_relaxed);
    bool all_held = true;
    bool all_done = true;

    *held = WENT_ON;
    for (unsigned i = 0; i < o->count; i++) {
        struct other *t = &o->each[i];

        /* acquire: rest */
        if (!atomic_load_explicit(&t->working, memory_order_acquire))
            continue;
        all_done = false;
        const enum fate f = judge(t, moves, patience_ns);
        all_held = all_held && f != WENT_ON;
        /* One that sleeps says more than one that is refused for it. */
        if (*held == WENT_ON || f < *held)
            *held = f;
    }
    if (!all_held ||
        moves != atomic_load_explicit(&o->moves, memory_order_relaxed))
        *held = WENT_ON;
    return all_done;
}

/* Until somebody has news, but not long. */
static void
doze(struct others *o)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LOOK_NS;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    sem_clockwait(&o->news, CLOCK_MONOTONIC, &until);
}

struct others *
others_start(unsigned count, const struct subject *s)
{
    struct others *o = calloc(1, sizeof(*o));

    if (o == NULL)
        return NULL;
    o->subject = s;
    sem_init(&o->news, 0, 0);
    for (; o->count < count; o->count++) {
        struct other *t = &o->each[o->count];

        t->all = o;
        t->index = o->count;
        sem_init(&t->go, 0, 0);
        if (pthread_create(&t->thread, NULL, live, t) != 0) {
            sem_destroy(&t->go);
            others_join(o);
            return NULL;
        }
        pthread_getcpuclockid(t->thread, &t->clock);
        while (sem_wait(&o->news) != 0) /* it knows its id */
            ;
    }
    return o;
}

void
others_join(struct others *o)
{
    o->object = NULL;
    for (unsigned i = 0; i < o->count; i++) {
        sem_post(&o->each[i].go);
        pthread_join(o->each[i].thread, NULL);
        sem_destroy(&o->each[i].go);
    }
    sem_destroy(&o->news);
    free(o);
}

void
others_begin(struct others *o, void *object)
{
    const int64_t now = clock_ns();

    o->object = object;
    atomic_store_explicit(&o->end, false, memory_order_relaxed);
    for (unsigned i = 0; i < o->count; i++) {
        struct other *t = &o->each[i];

        t->rounds_seen = atomic_load_explicit(&t->rounds, memory_order_relaxed);
        t->since_ns = now;
        t->spent_ns = spent(t);
        atomic_store_explicit(&t->refused_at, -1, memory_order_relaxed);
        atomic_store_explicit(&t->working, true, memory_order_relaxed);
        sem_post(&t->go);
    }
}

enum fate
others_watch(struct others *o, unsigned patience_ms)
{
    const int64_t patience_ns = patience_ms * INT64_C(1000000);
    enum fate held;

    while (!look(o, patience_ns, &held)) {
        if (held != WENT_ON)
            return held;
        doze(o);
    }
    return WENT_ON;
}

bool
others_finish(struct others *o)
{
    const int64_t begin = clock_ns();
    enum fate held;

    atomic_store_explicit(&o->end, true, memory_order_relaxed);
    while (!look(o, GIVE_UP_NS, &held)) {
        if (clock_ns() - begin > GIVE_UP_NS)
            return false;
        doze(o);
    }
    while (sem_trywait(&o->news) == 0)
        ;
    return true;
}
