/* SPDX-License-Identifier: MIT */
/*
 * fuzz_play.c - plays programs, each step when its turn has come.
 *
 * The turns are numbers in a word that is waited for by a system call, so that
 * nobody who looks at locks sees it.  Behind the last turn all that are left go
 * on as they like: they are those that block.
 *
 * Each step is called from a place of its own, and each program through one: what
 * is told once of some places is told for each program.
 */
#include "fuzz_play.h"

#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

union lock {
    pthread_mutex_t mutex;
    pthread_rwlock_t rwlock;
    pthread_spinlock_t spin;
    sem_t semaphore;
};

struct objects {
    union lock lock[LOCKS];
    sem_t semaphore[SEMAPHORES];
    pthread_barrier_t barrier;
    pthread_cond_t cond;
    bool flag;
};

static struct {
    const struct play *play;
    int number;
    struct objects *o;
    _Atomic uint32_t turn;
    pthread_t thread[THREADS];
    bool joined[THREADS];
    struct objects room;
} game;

/* One step of a thread. */
struct call {
    int thread;
    struct step step;
    bool failed; /* it has to */
    bool *got;   /* by tries, of the thread */
    int place;
};

static void *play_thread(void *arg);

static void
must(int result)
{
    if (result != 0) {
        fprintf(stderr, "a call failed: %s\n", strerror(result));
        _exit(1);
    }
}

/* --- turns ---------------------------------------------------------------- */

static void
end_turn(void)
{
    if (atomic_load(&game.turn) >= (uint32_t)game.play->run.events)
        return;
    atomic_fetch_add(&game.turn, 1);
    syscall(SYS_futex, &game.turn, FUTEX_WAKE_PRIVATE, THREADS, NULL);
}

/* Wait for the thread's turn; NULL: all turns are over. */
static const struct event *
await_turn(int thread)
{
    const struct run *r = &game.play->run;

    for (;;) {
        const uint32_t turn = atomic_load(&game.turn);
        if (turn >= (uint32_t)r->events)
            return NULL;
        if (r->event[turn].thread == thread)
            return &r->event[turn];
        syscall(SYS_futex, &game.turn, FUTEX_WAIT_PRIVATE, turn, NULL);
    }
}

/* --- steps ---------------------------------------------------------------- */

static inline __attribute__((always_inline)) int
try_lock(union lock *l, int kind, bool timed, const struct timespec *until)
{
    switch (kind) {
    case RWLOCK:
        return timed ? pthread_rwlock_timedwrlock(&l->rwlock, until)
                     : pthread_rwlock_trywrlock(&l->rwlock);
    case SPIN:
        return pthread_spin_trylock(&l->spin);
    case SEMAPHORE:
        return timed ? sem_timedwait(&l->semaphore, until)
                     : sem_trywait(&l->semaphore);
    default:
        return timed ? pthread_mutex_timedlock(&l->mutex, until)
                     : pthread_mutex_trylock(&l->mutex);
    }
}

/* A try that has to get it comes again: who has it is about to let go. */
static inline __attribute__((always_inline)) void
try_until(struct call *c, union lock *l, int kind)
{
    struct timespec until = {0, 0};
    const bool timed = c->step.what == TIMED;
    int r;

    if (!c->failed) {
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 600;
    }
    do
        r = try_lock(l, kind, timed, &until);
    while (r != 0 && !c->failed);
    c->got[c->step.which] = r == 0;
    must(r == 0 && c->failed);
}

static inline __attribute__((always_inline)) void
lock(union lock *l, int kind)
{
    if (kind == RWLOCK)
        must(pthread_rwlock_wrlock(&l->rwlock));
    else if (kind == SPIN)
        must(pthread_spin_lock(&l->spin));
    else if (kind == SEMAPHORE)
        must(sem_wait(&l->semaphore));
    else
        must(pthread_mutex_lock(&l->mutex));
}

static inline __attribute__((always_inline)) void
unlock(union lock *l, int kind)
{
    if (kind == RWLOCK)
        must(pthread_rwlock_unlock(&l->rwlock));
    else if (kind == SPIN)
        must(pthread_spin_unlock(&l->spin));
    else if (kind == SEMAPHORE)
        must(sem_post(&l->semaphore));
    else
        must(pthread_mutex_unlock(&l->mutex));
}

static void
start(int t)
{
    must(pthread_create(&game.thread[t], NULL, play_thread,
                        (void *)(intptr_t)t));
}

/* The turn ends before a wait, as others must go on, and there is another one
 * for its end. */
static inline __attribute__((always_inline)) void
wait_for_flag(const struct call *c)
{
    if (game.o->flag)
        return;
    end_turn();
    while (!game.o->flag)
        must(pthread_cond_wait(&game.o->cond,
                               &game.o->lock[game.play->program.guard].mutex));
    await_turn(c->thread);
}

static inline __attribute__((always_inline)) void
arrive(const struct call *c)
{
    end_turn();
    const int r = pthread_barrier_wait(&game.o->barrier);
    must(r == PTHREAD_BARRIER_SERIAL_THREAD ? 0 : r);
    await_turn(c->thread);
}

static inline __attribute__((always_inline)) void
take(struct call *c, sem_t *s)
{
    if (c->step.what == TAKE)
        must(sem_wait(s));
    else
        must((sem_trywait(s) != 0) != c->failed);
}

static inline __attribute__((always_inline)) void
do_other(struct call *c)
{
    struct objects *o = game.o;

    switch ((enum what)c->step.what) {
    case START:
        start(c->step.which);
        break;
    case JOIN:
        must(pthread_join(game.thread[c->step.which], NULL));
        game.joined[c->step.which] = true;
        break;
    case ARRIVE:
        arrive(c);
        break;
    case POST:
        must(sem_post(&o->semaphore[c->step.which]));
        break;
    case TAKE:
    case TRYTAKE:
        take(c, &o->semaphore[c->step.which]);
        break;
    case WAIT:
        wait_for_flag(c);
        break;
    case SET:
        o->flag = true;
        break;
    case BROADCAST:
        must(pthread_cond_broadcast(&o->cond));
        break;
    default:
        must(pthread_cond_signal(&o->cond));
        break;
    }
}

static inline __attribute__((always_inline)) void
do_step(struct call *c)
{
    union lock *l = &game.o->lock[c->step.which % LOCKS];
    const int kind = game.play->program.kind[c->step.which % LOCKS];

    switch ((enum what)c->step.what) {
    case LOCK:
        lock(l, kind);
        break;
    case READ:
        must(pthread_rwlock_rdlock(&l->rwlock));
        break;
    case TRY:
    case TIMED:
        try_until(c, l, kind);
        break;
    case UNTRY:
        if (!c->got[c->step.which])
            break;
        c->got[c->step.which] = false; /* fall through */
    case UNLOCK:
    case UNREAD:
        unlock(l, kind);
        break;
    default:
        do_other(c);
        break;
    }
}

/* --- places --------------------------------------------------------------- */

typedef void (*place)(struct call *c);

#define EIGHT(M, d) \
    M(0##d##0)      \
    M(0##d##1) M(0##d##2) M(0##d##3) M(0##d##4) M(0##d##5) M(0##d##6) M(0##d##7)
#define ALL(M)  \
    EIGHT(M, 0) \
    EIGHT(M, 1) \
    EIGHT(M, 2) \
    EIGHT(M, 3) \
    EIGHT(M, 4) \
    EIGHT(M, 5) \
    EIGHT(M, 6) \
    EIGHT(M, 7)

/* The number keeps the compiler from making one function of all. */
#define STEP(n)                                                    \
    static __attribute__((noinline)) void step_##n(struct call *c) \
    {                                                              \
        do_step(c);                                                \
        __asm__ volatile("" ::"r"(n) : "memory");                  \
    }
ALL(STEP)
#define NAME_STEP(n) step_##n,
static const place steps[] = {ALL(NAME_STEP)};

#define PLAY(n)                                                    \
    static __attribute__((noinline)) void play_##n(struct call *c) \
    {                                                              \
        steps[c->place](c);                                        \
        __asm__ volatile("" ::"r"(n) : "memory");                  \
    }
ALL(PLAY)
#define NAME_PLAY(n) play_##n,
static const place places[] = {ALL(NAME_PLAY)};

/* --- threads -------------------------------------------------------------- */

static void *
play_thread(void *arg)
{
    const int t = (int)(intptr_t)arg;
    const struct program *p = &game.play->program;
    bool got[LOCKS] = {false};
    struct call c = {.thread = t, .got = got};
    char name[16];

    snprintf(name, sizeof(name), "%d.%d", game.number, t);
    pthread_setname_np(pthread_self(), name);
    for (int before = 0; before < t; before++)
        c.place += p->length[before];
    for (int i = 0; i < p->length[t]; i++) {
        const struct event *e = await_turn(t);
        c.step = p->step[t][i];
        c.failed = e != NULL && e->failed;
        places[game.number](&c);
        c.place++;
        end_turn();
    }
    return NULL;
}

/* --- objects -------------------------------------------------------------- */

static void
make_lock(union lock *l, enum kind kind)
{
    pthread_mutexattr_t a;

    if (kind == RWLOCK) {
        must(pthread_rwlock_init(&l->rwlock, NULL));
    } else if (kind == SPIN) {
        must(pthread_spin_init(&l->spin, PTHREAD_PROCESS_PRIVATE));
    } else if (kind == SEMAPHORE) {
        must(sem_init(&l->semaphore, 0, 1));
    } else {
        must(pthread_mutexattr_init(&a));
        must(pthread_mutexattr_settype(&a, kind == RECURSIVE
                                               ? PTHREAD_MUTEX_RECURSIVE
                                               : PTHREAD_MUTEX_DEFAULT));
        must(pthread_mutex_init(&l->mutex, &a));
        must(pthread_mutexattr_destroy(&a));
    }
}

static void
destroy_lock(union lock *l, enum kind kind)
{
    if (kind == RWLOCK)
        must(pthread_rwlock_destroy(&l->rwlock));
    else if (kind == SPIN)
        must(pthread_spin_destroy(&l->spin));
    else if (kind == SEMAPHORE)
        must(sem_destroy(&l->semaphore));
    else
        must(pthread_mutex_destroy(&l->mutex));
}

/* By turns in memory that stays, that is freed, that is unmapped. */
static void
make_objects(int way)
{
    const struct program *p = &game.play->program;
    struct objects *o = way == 0 ? &game.room
                        : way == 1
                            ? malloc(sizeof(*o))
                            : mmap(NULL, sizeof(*o), PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    memset(o, 0, sizeof(*o));
    for (int l = 0; l < LOCKS; l++)
        make_lock(&o->lock[l], p->kind[l]);
    for (int s = 0; s < SEMAPHORES; s++)
        must(sem_init(&o->semaphore[s], 0, 0));
    must(pthread_barrier_init(&o->barrier, NULL,
                              p->parties > 0 ? p->parties : 1));
    must(pthread_cond_init(&o->cond, NULL));
    game.o = o;
}

static void
drop_objects(int way)
{
    struct objects *o = game.o;

    if (way == 1)
        free(o);
    if (way == 2)
        must(munmap(o, sizeof(*o)));
    if (way != 0)
        return;
    for (int l = 0; l < LOCKS; l++)
        destroy_lock(&o->lock[l], game.play->program.kind[l]);
    for (int s = 0; s < SEMAPHORES; s++)
        must(sem_destroy(&o->semaphore[s]));
    must(pthread_barrier_destroy(&o->barrier));
    must(pthread_cond_destroy(&o->cond));
}

void
play_all(const struct play *plays, int count)
{
    for (int i = 0; i < count; i++) {
        game.play = &plays[i];
        game.number = i;
        atomic_store(&game.turn, 0);
        memset(game.joined, 0, sizeof(game.joined));
        make_objects(i % 3);
        start(0);
        for (int t = 0; t < game.play->program.threads; t++)
            if (!game.joined[t])
                must(pthread_join(game.thread[t], NULL));
        drop_objects(i % 3);
    }
}
