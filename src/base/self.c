/* SPDX-License-Identifier: MIT */
/*
 * self.c - identities and the list of threads.
 *
 * A thread becomes known by its first call that needs to know it, or before it
 * starts, when Weft starts it.  It leaves in the destructor of a key of
 * pthreads.  Such destructors run in no order, and others' may still use locks:
 * ours puts itself off to the last round that POSIX promises, and even after it
 * the thread keeps its tag, so a lock taken before is unlocked by the same
 * owner.  Only the record is gone.
 *
 * The list.  Writers hold a mutex of the system (they allocate nothing and wait
 * for nobody inside); readers take nothing and are protected by base/reclaim.h.
 * A record is appended at the end, so the list is in the order of ids.  One
 * that was unlinked keeps its `next`, so a reader that stands on it finds the
 * way back; readers who need one moment's list compare the version before and
 * after.
 *
 * Records that left are gathered, and given back a batch at a time: one grace
 * period, and one helper thread, for many ends.
 *
 * fork().  The child has one thread; the records of all others are dropped
 * without a grace period, as no reader of them exists.
 *
 * Ordering.
 *
 *     list       append stores `next`       ->  first_ and next_ load it
 *     version    a change is done           ->  version_ reads its number
 */
#include "base/self.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TAG_SHIFT 3
#define TAG_BITS  29
#define BATCH     32 /* records that wait for one grace period */
/* In how many rounds a thread leaves; ThreadSanitizer forgets it in the last. */
#ifdef WEFT_TSAN
#define ROUNDS (PTHREAD_DESTRUCTOR_ITERATIONS - 1)
#else
#define ROUNDS PTHREAD_DESTRUCTOR_ITERATIONS
#endif

__thread _Atomic uint32_t weft_self_;
__thread struct weft_self *weft_self_record_;
__thread uint32_t weft_self_own_tag_;
static __thread uint64_t own_id __attribute__((tls_model("initial-exec")));

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(struct weft_self *) head;
static struct weft_self *tail;
static struct weft_self *left; /* linked by `previous` */
static unsigned left_count;
static uint64_t last_id;
static _Atomic uint64_t version;
static _Atomic bool watched;
static pthread_key_t key;
static bool key_is_there;

static void
begin_change(void)
{
    const uint64_t v = atomic_load_explicit(&version, memory_order_relaxed);

    atomic_store_explicit(&version, v + 1, memory_order_relaxed);
    /* What follows must not be seen before the odd number: the stores that
     * change the list are releases. */
}

static void
end_change(void)
{
    const uint64_t v = atomic_load_explicit(&version, memory_order_relaxed);

    /* release: version */
    atomic_store_explicit(&version, v + 1, memory_order_release);
}

uint64_t
weft_self_version_(void)
{
    /* acquire: version */
    return atomic_load_explicit(&version, memory_order_acquire);
}

/* Whether a living thread has this tag; asked only after 2^29 starts. */
static bool
is_taken(uint32_t tag)
{
    struct weft_self *s = atomic_load_explicit(&head, memory_order_relaxed);

    while (s != NULL && s->tag != tag)
        s = atomic_load_explicit(&s->next, memory_order_relaxed);
    return s != NULL;
}

static uint32_t
tag_of(uint64_t id)
{
    return (uint32_t)(id & ((1u << TAG_BITS) - 1)) << TAG_SHIFT;
}

/* Under the list's lock. */
static uint64_t
new_id(void)
{
    do
        last_id++;
    while (tag_of(last_id) == 0 ||
           (last_id >> TAG_BITS != 0 && is_taken(tag_of(last_id))));
    return last_id;
}

/* Under the list's lock. */
static void
append(struct weft_self *s)
{
    s->id = new_id();
    s->tag = tag_of(s->id);
    s->previous = tail;
    _Atomic(struct weft_self *) *end = tail != NULL ? &tail->next : &head;
    begin_change();
    /* release: list */
    atomic_store_explicit(end, s, memory_order_release);
    end_change();
    tail = s;
}

/* Under the list's lock. */
static void
take_out(struct weft_self *s)
{
    struct weft_self *next =
        atomic_load_explicit(&s->next, memory_order_relaxed);
    _Atomic(struct weft_self *) *before =
        s->previous != NULL ? &s->previous->next : &head;

    begin_change();
    /* release: list */
    atomic_store_explicit(before, next, memory_order_release);
    end_change();
    if (next != NULL)
        next->previous = s->previous;
    else
        tail = s->previous;
}

struct weft_self *
weft_self_create_(void)
{
    struct weft_self *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    pthread_mutex_lock(&list_lock);
    append(s);
    pthread_mutex_unlock(&list_lock);
    return s;
}

static void
give_back(struct weft_retired *r)
{
    struct weft_self *s = (struct weft_self *)(void *)r;

    while (s != NULL) {
        struct weft_self *previous = s->previous;
        free(s);
        s = previous;
    }
}

void
weft_self_leave_(struct weft_self *s)
{
    struct weft_self *batch = NULL;

    if (s == weft_self_record_) {
        weft_self_record_ = NULL;
        atomic_store_explicit(&weft_self_, weft_self_own_tag_,
                              memory_order_relaxed);
    }
    pthread_mutex_lock(&list_lock);
    take_out(s);
    atomic_store_explicit(&s->fast, NULL, memory_order_relaxed);
    s->previous = left;
    left = s;
    if (++left_count >= BATCH) {
        batch = left;
        left = NULL;
        left_count = 0;
    }
    pthread_mutex_unlock(&list_lock);
    if (batch != NULL)
        weft_reclaim_defer_(&batch->retired, give_back);
}

/* The key's destructor: its value counts the rounds that are left. */
static void
end_thread(void *value)
{
    const uintptr_t rounds = (uintptr_t)value;

    if (rounds > 1 && pthread_setspecific(key, (void *)(rounds - 1)) == 0)
        return;
    if (weft_self_record_ != NULL)
        weft_self_leave_(weft_self_record_);
}

void
weft_self_adopt_(struct weft_self *s)
{
    own_id = s->id;
    weft_self_own_tag_ = s->tag;
    weft_self_record_ = s;
    atomic_store_explicit(&s->pthread, pthread_self(), memory_order_relaxed);
    atomic_store_explicit(&s->native_id, syscall(SYS_gettid),
                          memory_order_relaxed);
    pthread_mutex_lock(&list_lock);
    atomic_store_explicit(&s->fast, &weft_self_, memory_order_relaxed);
    const bool slow = atomic_load_explicit(&watched, memory_order_relaxed);
    atomic_store_explicit(&weft_self_, slow ? 0 : s->tag, memory_order_relaxed);
    pthread_mutex_unlock(&list_lock);
    if (key_is_there)
        (void)pthread_setspecific(key, (void *)(uintptr_t)ROUNDS);
}

uint32_t
weft_self_enter_(void)
{
    if (weft_self_own_tag_ != 0)
        return weft_self_own_tag_;
    struct weft_self *s = weft_self_create_();
    if (s != NULL) {
        weft_self_adopt_(s);
        return s->tag;
    }
    /* No memory: a thread without a record, that nobody lists. */
    pthread_mutex_lock(&list_lock);
    own_id = new_id();
    pthread_mutex_unlock(&list_lock);
    weft_self_own_tag_ = tag_of(own_id);
    return weft_self_own_tag_;
}

uint64_t
weft_self_id_(void)
{
    weft_self_tag_();
    return own_id;
}

struct weft_self *
weft_self_first_(void)
{
    /* acquire: list */
    return atomic_load_explicit(&head, memory_order_acquire);
}

struct weft_self *
weft_self_next_(const struct weft_self *s)
{
    /* acquire: list */
    return atomic_load_explicit(&s->next, memory_order_acquire);
}

uint64_t
weft_self_id_of_(uint32_t tag)
{
    uint64_t id = tag >> TAG_SHIFT;

    weft_reclaim_enter_();
    for (struct weft_self *s = weft_self_first_(); s != NULL;
         s = weft_self_next_(s))
        if (s->tag == tag)
            id = s->id;
    weft_reclaim_leave_();
    return id;
}

void
weft_self_watch_(bool on)
{
    pthread_mutex_lock(&list_lock);
    atomic_store_explicit(&watched, on, memory_order_relaxed);
    struct weft_self *s = atomic_load_explicit(&head, memory_order_relaxed);
    for (; s != NULL;
         s = atomic_load_explicit(&s->next, memory_order_relaxed)) {
        _Atomic uint32_t *fast =
            atomic_load_explicit(&s->fast, memory_order_relaxed);
        if (fast != NULL)
            atomic_store_explicit(fast, on ? 0 : s->tag, memory_order_relaxed);
    }
    pthread_mutex_unlock(&list_lock);
}

static void
before_fork(void)
{
    pthread_mutex_lock(&list_lock);
}

static void
after_fork(void)
{
    pthread_mutex_unlock(&list_lock);
}

static void
in_child(void)
{
    struct weft_self *s = atomic_load_explicit(&head, memory_order_relaxed);

    while (s != NULL) {
        struct weft_self *next =
            atomic_load_explicit(&s->next, memory_order_relaxed);
        if (s != weft_self_record_) {
            take_out(s);
            s->previous = left;
            left = s;
            left_count++;
        }
        s = next;
    }
    if (weft_self_record_ != NULL)
        atomic_store_explicit(&weft_self_record_->native_id,
                              syscall(SYS_gettid), memory_order_relaxed);
    pthread_mutex_unlock(&list_lock);
}

/* Before main: it is thread 1. */
__attribute__((constructor)) static void
begin(void)
{
    key_is_there = pthread_key_create(&key, end_thread) == 0;
    (void)pthread_atfork(before_fork, after_fork, in_child);
    weft_self_enter_();
}
