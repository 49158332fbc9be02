/* SPDX-License-Identifier: MIT */
/*
 * deadlock/shim.h - what the preloaded object knows of a foreign program: its
 * threads, what each holds, and what each waits for.
 *
 *   idea       each thread writes into a record of its own, which a checker
 *              reads; who owns a mutex or writes a lock is asked of the object
 *              itself, so a record that lags behind tells no lie
 *   shape      records and their lists lie in mappings of the shim's own: the
 *              program's malloc is never called from a hook
 */
#ifndef WEFT_DEADLOCK_SHIM_H
#define WEFT_DEADLOCK_SHIM_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <threads.h>
#include <time.h>

#include "base/symbol.h"
#include "deadlock/find.h"
#include "deadlock/kind.h"
#include "deadlock/order.h"

/* What a program finds in place of the function of libc. */
#define WEFT_HOOK __attribute__((visibility("default")))

/* How many locks of a thread are noted: without a mapping, and at most.  They
 * are searched one by one when the oldest is given up. */
#define WEFT_SHIM_FIRST 16
#define WEFT_SHIM_MOST  4096

/* How many locks are known that a thread has just made. */
#define WEFT_SHIM_MADE 4

/* One lock that a thread holds. */
struct weft_shim_hold {
    _Atomic uintptr_t object;
    _Atomic uint32_t kind;
    _Atomic uintptr_t call[WEFT_DL_PLACES];
    uint64_t below; /* the number for all that was held before */
};

enum weft_shim_state {
    WEFT_SHIM_FREE,
    WEFT_SHIM_LIVE,
    WEFT_SHIM_ENDING /* its routine has returned; destructors may run */
};

/* A thread.  Its own words are written by it alone; a record is never freed,
 * but used again when its thread has ended and held nothing. */
struct weft_shim_thread {
    struct weft_shim_thread *next;  /* of all; constant once in the list */
    struct weft_shim_thread *queue; /* of those ending */
    uint64_t seen;                  /* the checker's: the sequence it saw */
    _Atomic uint64_t id;
    _Atomic uint32_t state;
    _Atomic pid_t tid;
    _Atomic pthread_t self;
    uintptr_t stack_end;  /* no frame lies at or above it */
    bool full;            /* its list cannot grow any more */
    _Atomic bool starts;  /* it has started others */
    bool started;         /* through the shim, which learns how it ends */
    _Atomic bool kept;    /* somebody may join it: the record keeps its name */
    _Atomic bool claimed; /* somebody is about to join it, or let it go */
    void *(*start)(void *);
    thrd_start_t start_c11;
    void *arg;

    _Atomic uint64_t sequence; /* odd: waits */
    _Atomic uintptr_t object;
    _Atomic uintptr_t guard; /* of a condition: the mutex to take again */
    _Atomic uint32_t kind;
    _Atomic bool timed;
    _Atomic int64_t since;
    _Atomic uintptr_t call[WEFT_DL_PLACES];

    uint32_t room;
    _Atomic uint32_t count;
    struct weft_shim_hold *_Atomic held;
    const void
        *gave; /* what it gave up last; or weft_shim_made_, when it has */
    const void *gave_before; /* made locks since: then what it gave up */
    const void *made[WEFT_SHIM_MADE];
    uint32_t made_count;
    struct weft_order_thread order;
    struct weft_shim_hold first[WEFT_SHIM_FIRST];
};

/* The calling thread's record; NULL before its first call. */
extern _Thread_local struct weft_shim_thread *weft_shim_me_;

/* Make the record of the calling thread, on its first call. */
struct weft_shim_thread *weft_shim_attach_(void);

static inline struct weft_shim_thread *
weft_shim_self_(void)
{
    struct weft_shim_thread *t = weft_shim_me_;

    return __builtin_expect(t != NULL, 1) ? t : weft_shim_attach_();
}

/* All records there ever were, newest first; what a thread without one is. */
struct weft_shim_thread *weft_shim_first_(void);
extern struct weft_shim_thread weft_shim_nobody_;

/* Make a record for a thread to be started, NULL: there is no memory; give it
 * back, if it was not; it is that of the calling thread; which is ending. */
struct weft_shim_thread *weft_shim_record_(void);
void weft_shim_put_back_(struct weft_shim_thread *t);
void weft_shim_begin_(struct weft_shim_thread *t);
void weft_shim_end_(struct weft_shim_thread *t);

/* Whether the first thread has ended, and the process goes on. */
extern _Atomic bool weft_shim_first_ended_;

/* In a child of fork: the calling thread is the only one. */
void weft_shim_alone_(void);

/* Whether the thread of a record is no more. */
bool weft_shim_is_gone_(const struct weft_shim_thread *t);

/* Make the list of `t` longer; false: there is no room, and never will be. */
bool weft_shim_grow_(struct weft_shim_thread *t);

/* Memory of the shim's own; NULL: its cap is reached, which is said once. */
void *weft_shim_map_(size_t bytes);
void weft_shim_unmap_(void *p, size_t bytes);

/* What a function that keeps a frame pointer has on its stack. */
struct weft_shim_frame {
    const struct weft_shim_frame *outer;
    uintptr_t back; /* where it returns to */
};

/* The frame of a hook; taken in the hook. */
#define WEFT_SHIM_HERE \
    ((const struct weft_shim_frame *)__builtin_frame_address(0))

/* Note where a hook was called from.  Callers that keep no frame pointer end it:
 * what is found then is nothing, or an address by chance, which the report finds
 * out.  Nothing is read but what lies on the stack. */
static inline void
weft_shim_place_(struct weft_shim_thread *t, struct weft_shim_hold *h,
                 const struct weft_shim_frame *f)
{
    for (int i = 0;; f = f->outer) {
        atomic_store_explicit(&h->call[i++], f->back - 1, memory_order_relaxed);
        const uintptr_t outer = (uintptr_t)f->outer;
        if (i == WEFT_DL_PLACES)
            return;
        if (outer <= (uintptr_t)f || outer >= t->stack_end ||
            outer % sizeof(outer) != 0 || outer - (uintptr_t)f > 4096) {
            atomic_store_explicit(&h->call[i], 0, memory_order_relaxed);
            return;
        }
    }
}

/* Add `object` to what `t` holds; false: there is no room. */
static inline bool
weft_shim_note_(struct weft_shim_thread *t, const void *object,
                enum weft_kind kind, const struct weft_shim_frame *here)
{
    const uint32_t n = atomic_load_explicit(&t->count, memory_order_relaxed);

    if (__builtin_expect(n >= t->room, 0) && !weft_shim_grow_(t))
        return false;
    struct weft_shim_hold *h =
        atomic_load_explicit(&t->held, memory_order_relaxed) +
        atomic_load_explicit(&t->count, memory_order_relaxed);
    atomic_store_explicit(&h->object, (uintptr_t)object, memory_order_relaxed);
    atomic_store_explicit(&h->kind, kind, memory_order_relaxed);
    h->below = t->order.set;
    weft_shim_place_(t, h, here);
    atomic_store_explicit(
        &t->count, atomic_load_explicit(&t->count, memory_order_relaxed) + 1,
        memory_order_relaxed);
    return true;
}

/* What predicts is told of what is noted: see shim_order.h. */
void weft_shim_orders_(struct weft_shim_thread *t, const void *object,
                       enum weft_kind kind);
void weft_shim_passes_(struct weft_shim_thread *t);
void weft_shim_frees_(struct weft_shim_thread *t, const void *mutex);

static inline void
weft_shim_holds_(struct weft_shim_thread *t, const void *object,
                 enum weft_kind kind)
{
    weft_order_holds_(&t->order, object, kind);
    if (kind == WEFT_KIND_MUTEX &&
        __builtin_expect(weft_order_is_guard_(object), 0))
        weft_shim_passes_(t);
}

/* Note that `t` has got `object`, by a call that would not have waited for good;
 * by one that would have. */
static inline void
weft_shim_got_(struct weft_shim_thread *t, const void *object,
               enum weft_kind kind, const struct weft_shim_frame *here)
{
    if (weft_shim_note_(t, object, kind, here))
        weft_shim_holds_(t, object, kind);
}

static inline void
weft_shim_took_(struct weft_shim_thread *t, const void *object,
                enum weft_kind kind, const struct weft_shim_frame *here)
{
    if (!weft_shim_note_(t, object, kind, here))
        return;
    if (__builtin_expect(!weft_order_knows_(&t->order, object, kind), 0) &&
        t->order.graph != NULL)
        weft_shim_orders_(t, object, kind);
    weft_shim_holds_(t, object, kind);
}

/* Take the entry at `at` off the list; the others move up. */
void weft_shim_take_out_(struct weft_shim_thread *t, uint32_t at);

/* Note that `t` gives `object` up; what was never noted is no harm. */
static inline void
weft_shim_gave_(struct weft_shim_thread *t, const void *object)
{
    struct weft_shim_hold *h =
        atomic_load_explicit(&t->held, memory_order_relaxed);
    const uint32_t n = atomic_load_explicit(&t->count, memory_order_relaxed);

    for (uint32_t i = n; i-- > 0;) {
        if (atomic_load_explicit(&h[i].object, memory_order_relaxed) !=
            (uintptr_t)object)
            continue;
        t->gave = object;
        if (__builtin_expect(weft_order_is_guard_(object), 0))
            weft_shim_frees_(t, object);
        if (__builtin_expect(i + 1 == n, 1)) {
            t->order.set = h[i].below;
            atomic_store_explicit(&t->count, i, memory_order_relaxed);
        } else {
            weft_shim_take_out_(t, i);
        }
        return;
    }
}

/* What a thread waited for before: a handler of a signal may wait, too. */
struct weft_shim_was {
    struct weft_shim_thread *t;
    uintptr_t object;
    uintptr_t guard;
    uintptr_t here;
    uint32_t kind;
    bool waited;
    bool timed;
};

/*
 * Publish what the calling thread is about to wait for, and wake the checker.
 *
 *   guard      of a condition, its mutex; else NULL
 *   caveat     keeps errno; weft_shim_woke_ must follow, also when the wait is
 *              cancelled
 */
struct weft_shim_was weft_shim_waits_(struct weft_shim_thread *t,
                                      const void *object, enum weft_kind kind,
                                      bool timed, const void *guard,
                                      const struct weft_shim_frame *here);
void weft_shim_woke_(struct weft_shim_was *was);

/* Something else has changed that may leave somebody waiting for good. */
void weft_shim_ring_(void);

/* Start the checker, unless it runs; in a child of fork it does not. */
void weft_shim_watch_(void);
void weft_shim_unwatch_(void);

/* The bell the checker sleeps on: 1 while it does. */
extern _Atomic uint32_t weft_shim_bell_;

/* Sleep until the bell is not 1, or for as long as `most`; NULL: for ever. */
void weft_shim_await_bell_(const struct timespec *most);

/* What the command line said; read once. */
struct weft_shim_options {
    bool on;
    bool keep;
    bool children;
    int status;
    int64_t doubt_ms; /* after a report that is not certain, until the end */
    const char *output;
    const char *json;
    const char *graph;
    bool predict;
    bool order;
    pid_t pid;
    dev_t error_device; /* what standard error is at first */
    ino_t error_file;
    _Atomic bool found; /* something was, and the program goes on */
};
extern struct weft_shim_options weft_shim_options_;
void weft_shim_read_options_(void);

/* The process ends now, with this status: returns what it ends with. */
int weft_shim_finish_(int status);

struct weft_dl_report;
struct weft_writer;

/* Write a report to where the options say; or other text of the tool's. */
void weft_shim_write_(struct weft_writer *w, const struct weft_dl_report *r);
bool weft_shim_begin_text_(struct weft_writer *w); /* false: it cannot be */
void weft_shim_end_text_(struct weft_writer *w);

/* The functions of libc. */
struct weft_shim_real {
    __typeof__(&pthread_create) create;
    __typeof__(&pthread_join) join;
    __typeof__(&pthread_timedjoin_np) timedjoin;
    __typeof__(&pthread_clockjoin_np) clockjoin;
    __typeof__(&pthread_exit) exit;
    __typeof__(&pthread_mutex_lock) mutex_lock;
    __typeof__(&pthread_mutex_trylock) mutex_trylock;
    __typeof__(&pthread_mutex_timedlock) mutex_timedlock;
    __typeof__(&pthread_mutex_clocklock) mutex_clocklock;
    __typeof__(&pthread_mutex_unlock) mutex_unlock;
    __typeof__(&pthread_spin_lock) spin_lock;
    __typeof__(&pthread_spin_trylock) spin_trylock;
    __typeof__(&pthread_spin_unlock) spin_unlock;
    __typeof__(&pthread_rwlock_rdlock) rdlock;
    __typeof__(&pthread_rwlock_tryrdlock) tryrdlock;
    __typeof__(&pthread_rwlock_timedrdlock) timedrdlock;
    __typeof__(&pthread_rwlock_clockrdlock) clockrdlock;
    __typeof__(&pthread_rwlock_wrlock) wrlock;
    __typeof__(&pthread_rwlock_trywrlock) trywrlock;
    __typeof__(&pthread_rwlock_timedwrlock) timedwrlock;
    __typeof__(&pthread_rwlock_clockwrlock) clockwrlock;
    __typeof__(&pthread_rwlock_unlock) rwunlock;
    __typeof__(&pthread_cond_wait) cond_wait;
    __typeof__(&pthread_cond_timedwait) cond_timedwait;
    __typeof__(&pthread_cond_clockwait) cond_clockwait;
    __typeof__(&pthread_cond_wait) cond_wait_elder; /* x86-64 only */
    __typeof__(&pthread_cond_timedwait) cond_timedwait_elder;
    __typeof__(&pthread_barrier_wait) barrier_wait;
    __typeof__(&pthread_once) once;
    __typeof__(&sem_wait) sem_wait;
    __typeof__(&sem_trywait) sem_trywait;
    __typeof__(&sem_timedwait) sem_timedwait;
    __typeof__(&sem_clockwait) sem_clockwait;
    __typeof__(&mtx_lock) mtx_lock;
    __typeof__(&mtx_trylock) mtx_trylock;
    __typeof__(&mtx_timedlock) mtx_timedlock;
    __typeof__(&mtx_unlock) mtx_unlock;
    __typeof__(&cnd_wait) cnd_wait;
    __typeof__(&cnd_timedwait) cnd_timedwait;
    __typeof__(&thrd_create) thrd_create;
    __typeof__(&thrd_join) thrd_join;
    __typeof__(&thrd_exit) thrd_exit;
    __typeof__(&call_once) call_once;
    __typeof__(&pthread_tryjoin_np) tryjoin;
    __typeof__(&pthread_detach) detach;
    __typeof__(&thrd_detach) thrd_detach;
    __typeof__(&pthread_mutex_init) mutex_init;
    __typeof__(&pthread_mutex_destroy) mutex_destroy;
    __typeof__(&pthread_spin_init) spin_init;
    __typeof__(&pthread_spin_destroy) spin_destroy;
    __typeof__(&pthread_rwlock_init) rwlock_init;
    __typeof__(&pthread_rwlock_destroy) rwlock_destroy;
    __typeof__(&pthread_barrier_init) barrier_init;
    __typeof__(&pthread_barrier_destroy) barrier_destroy;
    __typeof__(&mtx_init) mtx_init;
    __typeof__(&mtx_destroy) mtx_destroy;
    __typeof__(&pthread_cond_init) cond_init;
    __typeof__(&pthread_cond_signal) cond_signal;
    __typeof__(&pthread_cond_broadcast) cond_broadcast;
    __typeof__(&pthread_cond_init) cond_init_elder;
    __typeof__(&pthread_cond_signal) cond_signal_elder;
    __typeof__(&pthread_cond_broadcast) cond_broadcast_elder;
    __typeof__(&cnd_init) cnd_init;
    __typeof__(&cnd_signal) cnd_signal;
    __typeof__(&cnd_broadcast) cnd_broadcast;
    __typeof__(&sem_init) sem_init;
    __typeof__(&sem_destroy) sem_destroy;
    __typeof__(&sem_open) sem_open;
    __typeof__(&sem_close) sem_close;
    __typeof__(&sem_post) sem_post;
    __typeof__(&munmap) munmap;
    void (*exit_now)(int);
    int (*execve)(const char *, char *const *, char *const *);
    int (*execvpe)(const char *, char *const *, char *const *);
    int (*fexecve)(int, char *const *, char *const *);
};
extern struct weft_shim_real weft_shim_real_;

/* Look the functions of libc up, once. */
void weft_shim_resolve_(void);

/* A reading of the program's memory that cannot fault; false: not there. */
bool weft_shim_peek_(const void *from, void *to, size_t bytes);

/* The same of what may be gone: false, too, where such a reading is refused. */
bool weft_shim_peek_gone_(const void *from, void *to, size_t bytes);

/* What the kernel says of a thread. */
struct weft_shim_sleep {
    bool exists;
    bool
        unknown; /* but for that: there is no /proc, or no file can be opened */
    bool sleeps;
    char state;        /* as in ps(1) */
    uint64_t switches; /* how often it was taken off a CPU */
};
struct weft_shim_sleep weft_shim_sleep_of_(pid_t tid);
void weft_shim_name_of_(pid_t tid, char *name, size_t room);

/* How many threads the process has; 0: not known. */
uint32_t weft_shim_task_count_(void);

/* Whether the program has handlers for signals; for which, as a bit for each;
 * which handlers are the shim's. */
bool weft_shim_catches_(void);
uint64_t weft_shim_caught_(void);
uint64_t weft_shim_own_signals_(void);

/* A picture of all threads, and what there is to know of each besides. */
struct weft_shim_picture {
    struct weft_dl_picture p;
    struct weft_shim_thread **record;
    pid_t *tid;
    pthread_t *self;
    uintptr_t *guard;
    struct weft_shim_sleep *sleep; /* the checker's */
    uint32_t *needs;
    struct weft_dl_held *held;
    size_t held_used;
    size_t held_room;
    size_t room[7];  /* of the lists above */
    bool catches;    /* signals */
    bool conditions; /* there are who wait for one */
    bool again;      /* somebody is ending: it will be over without a call */
};

/* Make one, in the memory of the last; false: there is no memory. */
bool weft_shim_picture_(struct weft_shim_picture *p);

/* Shorten a place to the calls that matter, the names of which are known;
 * `by_frames`: as weft_shim_place_ has noted it. */
void weft_shim_shorten_(struct weft_dl_place *p,
                        const struct weft_symbols *symbols, bool by_frames);

#endif /* WEFT_DEADLOCK_SHIM_H */
