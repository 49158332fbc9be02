/* SPDX-License-Identifier: MIT */
/*
 * thread.c - starting, joining and letting go of threads.
 *
 * Start.  The new thread has its ids when start returns, and still nobody waits
 * for it to run: its own id comes with the record, and the system's, which
 * pthread_create has from the kernel, is in the number of its CPU-time clock
 * (weft_native_id_of_).  Nothing is allocated in the new thread: the first call
 * of malloc in a thread sets up an arena and costs more than all of this.
 *
 * The word of a thread:
 *
 *     ENDED      it has left the list       set by the thread, last
 *     CLAIMED    somebody joins the thread  set by a joiner, who clears it on
 *                of the system, or start    DONE, or when it is cancelled; start
 *                still uses it              clears its own
 *     DONE       the result is there        set by the joiner, for good
 *     DETACHED   the system cleans up       set when the last handle is given
 *                                           back, for good
 *     SLEEPERS   somebody may sleep on the  set by the sleeper; cleared by whoever
 *                word                       wakes all
 *
 * Join.  One joiner claims the thread and calls pthread_join; the others sleep
 * on the word.  With a deadline nobody claims before the thread has left the
 * list: pthread_join has no portable deadline, and what is left after that is
 * the exit of the thread in the kernel.  A detached thread is over when it is ENDED.
 *
 * Deadlock.  A join without a deadline leaves an edge, `joins`, in the thread
 * that waits; all under one lock.  Whoever is about to wait follows the edges
 * from the thread it waits for, and does not wait if they lead to itself.  Edges
 * are followed and added in one step, so of those that would form a cycle the
 * last one sees the others.  A join with a deadline adds no edge: it ends.
 *
 * fork().  In the child no thread of the parent can be joined any more: what
 * was not DONE then is lost.
 *
 * Ordering.  pthread_create and pthread_join carry most of it.  The rest:
 *
 *     end        the thread sets ENDED    ->  a join or an error sees it
 *     done       the joiner sets DONE     ->  another join sees it
 *     unclaim    a claim is given up      ->  the next one claims
 */
#include "thread/thread.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "base/fail.h"
#include "base/name.h"
#include "base/park.h"
#include "base/tsan.h"
#include "deadlock/watch.h"

enum { ENDED = 1, CLAIMED = 2, DONE = 4, DETACHED = 8, SLEEPERS = 16 };

/* Whether a join without a deadline is pthread_join from the start.  A thread
 * that is cancelled there would leave ThreadSanitizer ignoring it. */
#ifdef WEFT_TSAN
#define CLAIMS_EARLY false
#else
#define CLAIMS_EARLY true
#endif

static pthread_mutex_t joins_lock = PTHREAD_MUTEX_INITIALIZER;

static void
set_system_name(struct weft_self *s)
{
    char cut[WEFT_NAME_SYSTEM_BYTES];

    weft_name_cut_(weft_name_get_(s), cut);
    (void)prctl(PR_SET_NAME, cut, 0, 0, 0);
}

/* Change the word and wake who sleeps on it. */
static void
change(weft_thread *t, uint32_t set, uint32_t clear)
{
    uint32_t seen = atomic_load_explicit(&t->word, memory_order_relaxed);
    uint32_t wanted;

    do
        wanted = (seen | set) & ~(clear | SLEEPERS);
    /* release: end, done, unclaim */
    while (!atomic_compare_exchange_weak_explicit(
        &t->word, &seen, wanted, memory_order_release, memory_order_relaxed));
    if ((seen & SLEEPERS) != 0)
        weft_park_wake_all_(&t->word);
}

/* Called when the record has left the list. */
static void
left(struct weft_self *s)
{
    weft_thread *t = weft_thread_of_(s);
    const bool counted = t->counted;

    change(t, ENDED, 0);
    if (counted)
        weft_exit_remove_();
}

static void
dispose(struct weft_self *s)
{
    weft_fail_free_(&weft_thread_of_(s)->error);
}

/* The thread was cancelled or called pthread_exit. */
static void
end_early(void *arg)
{
    weft_error error;

    (void)arg;
    (void)weft_fail_take_(NULL, &error);
    weft_self_end_();
}

WEFT_LEFT_WHEN_CANCELLED_ static void *
run(void *arg)
{
    weft_thread *t = arg;
    struct weft_self *s = weft_thread_self_(t);
    weft_error error;

    weft_self_adopt_(s);
    pthread_cleanup_push(end_early, NULL);
    set_system_name(s);
    void *result = t->fn(t->arg);
    t->result = result;
    t->returned = true;
    if (weft_fail_take_(result, &error))
        weft_failure_note_(t, error);
    pthread_cleanup_pop(0);
    weft_self_end_();
    return t->result;
}

static int
set_cpu(pthread_attr_t *attr, unsigned cpu)
{
    if (cpu >= 1u << 20)
        return EINVAL;
    cpu_set_t *set = CPU_ALLOC(cpu + 1);
    if (set == NULL)
        return ENOMEM;
    const size_t bytes = CPU_ALLOC_SIZE(cpu + 1);
    CPU_ZERO_S(bytes, set);
    CPU_SET_S(cpu, bytes, set);
    const int error = pthread_attr_setaffinity_np(attr, bytes, set);
    CPU_FREE(set);
    return error;
}

/* pthread_create as the options say. */
static int
create(weft_thread *t, pthread_t *thread, const weft_thread_options *options)
{
    pthread_attr_t attr;

    if (options == NULL || (options->stack_bytes == 0 && !options->pin))
        return pthread_create(thread, NULL, run, t);
    int error = pthread_attr_init(&attr);
    if (error != 0)
        return error;
    if (options->stack_bytes != 0)
        error = pthread_attr_setstacksize(&attr, options->stack_bytes);
    if (error == 0 && options->pin)
        error = set_cpu(&attr, options->cpu);
    if (error == 0)
        error = pthread_create(thread, &attr, run, t);
    pthread_attr_destroy(&attr);
    return error;
}

static enum weft_status
status_of(int error, const weft_thread_options *options)
{
    if (error == ENOMEM)
        return WEFT_NO_MEMORY;
    if (error == EINVAL && options != NULL &&
        (options->stack_bytes != 0 || options->pin))
        return WEFT_INVALID;
    errno = error;
    return WEFT_SYSTEM;
}

static bool
is_daemon(enum weft_daemon wanted)
{
    if (wanted != WEFT_DAEMON_INHERIT)
        return wanted == WEFT_DAEMON_YES;
    struct weft_self *s = weft_self_get_();
    return s != NULL && weft_thread_of_(s)->daemon;
}

/* The record of the thread that is about to start; NULL without memory. */
static struct weft_self *
prepare(weft_fn *fn, void *arg, const weft_thread_options *options)
{
    struct weft_self *s = weft_self_create_(WEFT_SELF_STARTED);

    if (s == NULL)
        return NULL;
    weft_thread *t = weft_thread_of_(s);
    s->left = left;
    s->dispose = dispose;
    t->fn = fn;
    t->arg = arg;
    t->daemon =
        is_daemon(options != NULL ? options->daemon : WEFT_DAEMON_INHERIT);
    t->counted = !t->daemon;
    atomic_init(&t->word, CLAIMED);
    if (options != NULL && options->name != NULL &&
        !weft_name_set_(s, options->name)) {
        weft_self_release_(s);
        return NULL;
    }
    return s;
}

/* Let the system's id be known, and the thread be joined. */
static void
publish(struct weft_self *s, pthread_t thread)
{
    const int64_t id = weft_native_id_of_(thread);

    atomic_store_explicit(&s->pthread, thread, memory_order_relaxed);
    if (id != 0)
        atomic_store_explicit(&s->native_id, id, memory_order_relaxed);
    while (atomic_load_explicit(&s->native_id, memory_order_relaxed) == 0)
        sched_yield(); /* it says so itself, as soon as it runs */
    change(weft_thread_of_(s), 0, CLAIMED);
}

enum weft_status
weft_thread_start(weft_thread **out, weft_fn *fn, void *arg,
                  const weft_thread_options *options)
{
    pthread_t thread;

    if (out == NULL || fn == NULL ||
        (options != NULL && (unsigned)options->daemon > WEFT_DAEMON_NO))
        return WEFT_INVALID;
    struct weft_self *s = prepare(fn, arg, options);
    if (s == NULL)
        return WEFT_NO_MEMORY;
    weft_thread *t = weft_thread_of_(s);
    if (t->counted)
        weft_exit_add_();
    weft_self_list_(s);
    if (weft_watching_())
        weft_watch_creates_(s->id);
    const int error = create(t, &thread, options);
    if (error != 0) {
        change(t, DETACHED, CLAIMED);
        weft_self_leave_(s);
        weft_self_release_(s);
        return status_of(error, options);
    }
    publish(s, thread);
    *out = t;
    return WEFT_OK;
}

static void
give_up_claim(void *thread)
{
    change(thread, 0, CLAIMED);
}

/* The caller has the claim: join the thread of the system. */
WEFT_LEFT_WHEN_CANCELLED_ static void
join_claimed(weft_thread *t)
{
    struct weft_self *s = weft_thread_self_(t);
    void *value = NULL;

    pthread_cleanup_push(give_up_claim, t);
    (void)pthread_join(atomic_load_explicit(&s->pthread, memory_order_relaxed),
                       &value);
    pthread_cleanup_pop(0);
    if (!t->returned)
        t->result = value;
    change(t, DONE, CLAIMED);
}

static bool
claim(weft_thread *t, uint32_t seen)
{
    /* acquire: unclaim */
    return atomic_compare_exchange_strong_explicit(
        &t->word, &seen, seen | CLAIMED, memory_order_acquire,
        memory_order_relaxed);
}

/* Sleep until the word is no longer `seen`, or say why not. */
WEFT_LEFT_WHEN_CANCELLED_ static enum weft_status
sleep_on(weft_thread *t, uint32_t seen, weft_deadline deadline)
{
    if ((seen & SLEEPERS) == 0 &&
        !atomic_compare_exchange_strong_explicit(
            &t->word, &seen, seen | SLEEPERS, memory_order_relaxed,
            memory_order_relaxed))
        return WEFT_OK;
    return weft_park_wait_cancel_(&t->word, seen | SLEEPERS, deadline);
}

/* Once it has left the list the rest is short, and the deadline no longer
 * counts. */
WEFT_LEFT_WHEN_CANCELLED_ static enum weft_status
wait_for_end(weft_thread *t, weft_deadline deadline)
{
    enum weft_status s = WEFT_OK;

    for (;;) {
        /* acquire: end, done */
        const uint32_t w = atomic_load_explicit(&t->word, memory_order_acquire);
        const bool ended = weft_self_is_gone_(weft_thread_self_(t));
        if ((w & DONE) != 0 || (w & (ENDED | DETACHED)) == (ENDED | DETACHED))
            return WEFT_OK;
        if (!ended && s != WEFT_OK)
            return s;
        if ((w & (CLAIMED | DETACHED)) != 0 ||
            (!ended &&
             (deadline != WEFT_FOREVER || !CLAIMS_EARLY || weft_watching_())))
            s = sleep_on(t, w, ended ? WEFT_FOREVER : deadline);
        else if (claim(t, w))
            join_claimed(t);
    }
}

/* Note that the caller will wait for `t`; false if that would never end. */
static bool
add_edge(weft_thread *t, weft_thread *me, weft_deadline deadline)
{
    pthread_mutex_lock(&joins_lock);
    weft_thread *at = t;
    while (at != NULL && at != me)
        at = at->joins;
    if (at == NULL && me != NULL && deadline == WEFT_FOREVER)
        me->joins = t;
    pthread_mutex_unlock(&joins_lock);
    return at == NULL || me == NULL;
}

static void
end_wait(void *me)
{
    weft_watch_unblock_();
    if (me == NULL)
        return;
    pthread_mutex_lock(&joins_lock);
    ((weft_thread *)me)->joins = NULL;
    pthread_mutex_unlock(&joins_lock);
}

/* What a thread gets whose join would close a circle of joins. */
static enum weft_status
in_circle(const weft_thread *t)
{
    if (weft_watching_())
        weft_watch_own_(t, WEFT_KIND_THREAD);
    return WEFT_DEADLOCK;
}

WEFT_LEFT_WHEN_CANCELLED_ static enum weft_status
join_running(weft_thread *t, weft_deadline deadline)
{
    weft_thread *me = weft_thread_current();

    if (deadline <= WEFT_NOW)
        return WEFT_TIMEOUT;
    enum weft_status s = weft_watch_block_(t, WEFT_KIND_THREAD, deadline);
    if (s != WEFT_OK)
        return s;
    pthread_cleanup_push(end_wait, me);
    s = add_edge(t, me, deadline) ? wait_for_end(t, deadline) : in_circle(t);
    pthread_cleanup_pop(1);
    return s;
}

static enum weft_status
answer(weft_thread *t, void **result)
{
    if (weft_failure_ask_(t) != NULL)
        return WEFT_FAILED;
    if (result != NULL)
        *result = t->result;
    return WEFT_OK;
}

static enum weft_status
joined(weft_thread *t, void **result)
{
    if (weft_watching_())
        weft_watch_joins_(weft_thread_self_(t)->id);
    return answer(t, result);
}

enum weft_status
weft_thread_join(weft_thread *t, weft_deadline deadline, void **result)
{
    struct weft_self *s = weft_thread_self_(t);

    WEFT_WATCH_CALL_();
    if (s == weft_self_record_)
        return WEFT_DEADLOCK;
    if (s->kind != WEFT_SELF_STARTED || s == weft_self_main_())
        return WEFT_INVALID;
    if (weft_watching_()) /* also if it has ended: it might not have yet */
        weft_watch_awaits_(t, WEFT_KIND_THREAD, NULL, deadline);
    /* acquire: end, done */
    const uint32_t w = atomic_load_explicit(&t->word, memory_order_acquire);
    if ((w & DONE) != 0)
        return joined(t, result);
    if (weft_self_is_of_parent_(s))
        return WEFT_CLOSED;
    const enum weft_status status = weft_self_is_gone_(s)
                                        ? wait_for_end(t, deadline)
                                        : join_running(t, deadline);
    return status == WEFT_OK ? joined(t, result) : status;
}

const weft_error *
weft_thread_error(weft_thread *t)
{
    return weft_failure_ask_(t);
}

weft_thread *
weft_thread_retain(weft_thread *t)
{
    weft_self_retain_(weft_thread_self_(t));
    return t;
}

void
weft_thread_release(weft_thread *t)
{
    if (t == NULL)
        return;
    if (!weft_self_release_one_of_(weft_thread_self_(t)))
        weft_failure_release_(t);
}

void
weft_thread_detach_(weft_thread *t)
{
    struct weft_self *s = weft_thread_self_(t);
    uint32_t seen = atomic_load_explicit(&t->word, memory_order_relaxed);

    if (s->kind != WEFT_SELF_STARTED || weft_self_is_of_parent_(s) ||
        s == weft_self_main_())
        return;
    do
        if ((seen & (CLAIMED | DONE | DETACHED)) != 0)
            return;
    /* acquire: unclaim */
    while (!atomic_compare_exchange_weak_explicit(
        &t->word, &seen, seen | DETACHED, memory_order_acquire,
        memory_order_relaxed));
    (void)pthread_detach(
        atomic_load_explicit(&s->pthread, memory_order_relaxed));
}

static void
before_fork(void)
{
    pthread_mutex_lock(&joins_lock);
}

static void
after_fork(void)
{
    pthread_mutex_unlock(&joins_lock);
}

/* The calling thread is main now; nobody joins anybody. */
static void
in_child(void)
{
    struct weft_self *s = weft_self_record_;

    if (s != NULL) {
        weft_thread_of_(s)->joins = NULL;
        weft_thread_of_(s)->counted = false;
        weft_thread_of_(s)->daemon = false;
    }
    pthread_mutex_unlock(&joins_lock);
}

__attribute__((constructor)) static void
begin(void)
{
    (void)pthread_atfork(before_fork, after_fork, in_child);
}
