/* SPDX-License-Identifier: MIT */
/*
 * sync.h - one primitive under many threads for a while: what it promises is
 * checked at each turn, and each thread must get on.
 *
 * A subject is one file: its body runs in every thread until soak_goes_on()
 * says no, calls soak_turn() as it gets on, soak_at() before each call that may
 * wait, and soak_fault() when it sees what must not be.  The primitive is
 * reached through operations, so that the tests can put a broken one there and
 * see the check fail.
 *
 * A thread that makes no turn for the patience of the run has lost a wake-up,
 * or waits for one that has: the run fails, says where each thread is, and
 * leaves behind those that cannot be ended.
 */
#ifndef STRESS_SOAK_SYNC_H
#define STRESS_SOAK_SYNC_H

#include <weft/deadline.h>
#include <weft/status.h>

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "random.h"

#define SOAK_TALLIES      3
#define SOAK_FAULT_BYTES  200
#define SOAK_OBJECT_BYTES 256
#define SOAK_THREADS_MAX  256

struct soak_run;

/* One thread. */
struct soak_hand {
    alignas(128) struct soak_run *run;
    void *state; /* the subject's, shared by all */
    unsigned index;
    unsigned count;
    struct prng random;
    uint64_t tally[SOAK_TALLIES]; /* what it means: the subject's `tallies` */
    _Atomic uint64_t turns;
    _Atomic(const char *) at;
    _Atomic pid_t tid;
    _Atomic bool ended;
    pthread_t thread;
};

struct soak_subject {
    const char *name;
    const char *tallies[SOAK_TALLIES]; /* NULL: none more */
    unsigned least_threads;
    size_t bytes;    /* of the state: zeroed, from a line of its own */
    const void *ops; /* how the primitive is called */
    bool broken;     /* on purpose: nothing plain is left to its care */
    void (*body)(struct soak_hand *h);
    /* Each may be NULL.  False: it cannot be; and: judge the end. */
    bool (*open)(struct soak_run *run, void *state);
    void (*close)(struct soak_run *run, void *state);
};

struct soak_run {
    const struct soak_subject *subject;
    void *state;
    struct soak_hand *hands;
    unsigned threads;
    uint64_t seed;
    _Atomic bool go;
    _Atomic bool stop;
    _Atomic bool failed;
    bool in_use;          /* set by `close`: not to be freed */
    pthread_mutex_t lock; /* of `fault` */
    char fault[SOAK_FAULT_BYTES];
};

struct soak_plan {
    unsigned threads;
    double seconds;
    double patience_s; /* for a turn of a thread */
    uint64_t seed;
};

struct soak_result {
    unsigned threads; /* that there were */
    double elapsed_s;
    uint64_t turns;
    uint64_t tally[SOAK_TALLIES];
    bool stopped;                 /* by the user */
    char fault[SOAK_FAULT_BYTES]; /* empty: all that must hold held */
    char *where; /* a line a thread if one did not get on, else NULL; to free */
};

/* Soak `s`; false: threads or memory are not to be had, `fault` says why. */
bool soak_run(const struct soak_subject *s, const struct soak_plan *plan,
              struct soak_result *out);

/* --- for subjects -------------------------------------------------------- */

/* What must not be: the first such is kept, and the run ends. */
void soak_fault(struct soak_run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Nothing, a few instructions, a yield or a short sleep. */
void soak_pause(struct soak_hand *h);

/* Sleep, up to so long. */
void soak_nap(struct soak_hand *h, unsigned most_ns);

/* A deadline: none for every other, else now or in up to 300 microseconds. */
weft_deadline soak_deadline(struct soak_hand *h);

/* A wait timed out: was that after its deadline? */
void soak_timed_out(struct soak_hand *h, weft_deadline deadline);

/*
 * Run fn(arg) in a thread of its own, cancel that after a while, and wait for
 * its end.
 *
 *   returns    whether it was cancelled; false too if there was no thread, and
 *              then `fn` has not run
 */
bool soak_cancel(struct soak_hand *h, void *(*fn)(void *arg), void *arg);

/* Whether the system tells who sleeps. */
bool soak_can_see_sleep(void);
/* Whether each other thread sleeps in the kernel until a word changes. */
bool soak_all_sleep(struct soak_hand *h);

/* Every thread of the run, of which one is told true. */
struct soak_meeting {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    unsigned arrived;
    unsigned round;
};
void soak_meeting_init(struct soak_meeting *m);
/* Wait until all threads of the run are here; false: the run has failed. */
bool soak_meet(struct soak_hand *h, struct soak_meeting *m);

static inline bool
soak_goes_on(const struct soak_hand *h)
{
    return !atomic_load_explicit(&h->run->stop, memory_order_relaxed);
}

static inline bool
soak_has_failed(const struct soak_hand *h)
{
    return atomic_load_explicit(&h->run->failed, memory_order_relaxed);
}

static inline void
soak_at(struct soak_hand *h, const char *what)
{
    atomic_store_explicit(&h->at, what, memory_order_relaxed);
}

static inline void
soak_turn(struct soak_hand *h)
{
    atomic_fetch_add_explicit(&h->turns, 1, memory_order_relaxed);
}

static inline unsigned
soak_below(struct soak_hand *h, unsigned n)
{
    return prng_below(&h->random, n);
}

/* One chance in n. */
static inline bool
soak_one_in(struct soak_hand *h, unsigned n)
{
    return soak_below(h, n) == 0;
}

/* One more, not by a read-modify-write: two at once lose one. */
static inline void
soak_count(_Atomic uint64_t *counter)
{
    const uint64_t was = atomic_load_explicit(counter, memory_order_relaxed);

    atomic_store_explicit(counter, was + 1, memory_order_relaxed);
}

extern const struct soak_subject *const soak_subjects[];
extern const size_t soak_subject_count;

#endif /* STRESS_SOAK_SYNC_H */
