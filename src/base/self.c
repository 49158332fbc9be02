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
 * way back.
 *
 * Versions.  Each change has a number, which the record keeps as `born` or
 * `gone`.  A record is linked before the number of its birth is published, and
 * unlinked after that of its end: who reads a version and then walks misses
 * nobody born by then, and whom a walk missed is gone by the version read
 * after it.  thread/registry.c makes the picture of one moment out of that.
 *
 * fork().  The child has one thread; the records of all others are dropped
 * without a grace period, as no reader of them exists.
 *
 * Ordering.
 *
 *     list       append stores `next`       ->  first_ and next_ load it
 *     version    a change stores its number ->  version_ reads it
 *     leave      a record is gone           ->  is_gone_ sees it
 *     main       a child's main is known    ->  main_ loads it
 */
#include "base/self.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/asan.h"
#include "base/name.h"

#define TAG_SHIFT 3
#define TAG_BITS  29
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
static uint64_t last_id;
static _Atomic uint64_t version;
static _Atomic size_t listed;
static uint32_t generation; /* forks so far, of this process's ancestors */
static bool clock_tells_id = true; /* see weft_native_id_of_ */
static struct weft_self first_record;
static bool first_is_free = true; /* the main thread has not called yet */
static _Atomic(struct weft_self *) main_record;
static _Atomic bool watched;
void (*_Atomic weft_self_left_holding_)(const struct weft_self *s);
void (*_Atomic weft_self_left_orders_)(struct weft_self *s);
static pthread_key_t key;
static bool key_is_there;

uint64_t
weft_self_version_(void)
{
    /* acquire: version */
    return atomic_load_explicit(&version, memory_order_acquire);
}

size_t
weft_self_count_(void)
{
    return atomic_load_explicit(&listed, memory_order_relaxed);
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
    const uint64_t v = atomic_load_explicit(&version, memory_order_relaxed) + 1;

    s->id = new_id();
    s->tag = tag_of(s->id);
    s->generation = generation;
    s->born = v;
    s->previous = tail;
    _Atomic(struct weft_self *) *end = tail != NULL ? &tail->next : &head;
    /* release: list */
    atomic_store_explicit(end, s, memory_order_release);
    /* release: version */
    atomic_store_explicit(&version, v, memory_order_release);
    atomic_fetch_add_explicit(&listed, 1, memory_order_relaxed);
    tail = s;
}

/* Under the list's lock. */
static void
take_out(struct weft_self *s)
{
    const uint64_t v = atomic_load_explicit(&version, memory_order_relaxed) + 1;
    struct weft_self *next =
        atomic_load_explicit(&s->next, memory_order_relaxed);
    _Atomic(struct weft_self *) *before =
        s->previous != NULL ? &s->previous->next : &head;

    /* release: leave */
    atomic_store_explicit(&s->gone, v, memory_order_release);
    /* release: version */
    atomic_store_explicit(&version, v, memory_order_release);
    /* release: list */
    atomic_store_explicit(before, next, memory_order_release);
    atomic_fetch_sub_explicit(&listed, 1, memory_order_relaxed);
    if (next != NULL)
        next->previous = s->previous;
    else
        tail = s->previous;
    atomic_store_explicit(&s->fast, NULL, memory_order_relaxed);
}

/* The list has a share in it from now on. */
void
weft_self_list_(struct weft_self *s)
{
    atomic_fetch_add_explicit(&s->shares, WEFT_SELF_LISTED,
                              memory_order_relaxed);
    pthread_mutex_lock(&list_lock);
    append(s);
    pthread_mutex_unlock(&list_lock);
}

bool
weft_self_pin_(const struct weft_self *s)
{
    pthread_mutex_lock(&list_lock);
    if (atomic_load_explicit(&s->gone, memory_order_relaxed) == 0)
        return true;
    pthread_mutex_unlock(&list_lock);
    return false;
}

void
weft_self_unpin_(void)
{
    pthread_mutex_unlock(&list_lock);
}

/* Linux makes the number of a thread's CPU-time clock out of its id, and glibc
 * and musl reckon it without a system call. */
int64_t
weft_native_id_of_(pthread_t thread)
{
    clockid_t clock;

    if (!clock_tells_id || pthread_getcpuclockid(thread, &clock) != 0)
        return 0;
    return ~(int64_t)(clock >> 3);
}

bool
weft_self_is_gone_(const struct weft_self *s)
{
    /* acquire: leave */
    return atomic_load_explicit(&s->gone, memory_order_acquire) != 0;
}

bool
weft_self_is_of_parent_(const struct weft_self *s)
{
    return s->generation != generation;
}

uint32_t
weft_self_generation_(void)
{
    return generation;
}

struct weft_self *
weft_self_main_(void)
{
    /* acquire: main */
    return atomic_load_explicit(&main_record, memory_order_acquire);
}

static void
tell_of_held(const struct weft_self *s)
{
    void (*tell)(const struct weft_self *) =
        atomic_load_explicit(&weft_self_left_holding_, memory_order_relaxed);

    if (tell != NULL)
        tell(s);
}

static void
tell_of_orders(struct weft_self *s)
{
    void (*tell)(struct weft_self *) =
        atomic_load_explicit(&weft_self_left_orders_, memory_order_relaxed);

    if (tell != NULL)
        tell(s);
}

void
weft_self_leave_(struct weft_self *s)
{
    if (atomic_load_explicit(&s->held_count, memory_order_relaxed) > 0)
        tell_of_held(s);
    if (s->order != NULL)
        tell_of_orders(s);
    if (s == weft_self_record_) {
        weft_self_record_ = NULL;
        atomic_store_explicit(&weft_self_, weft_self_own_tag_,
                              memory_order_relaxed);
    }
    pthread_mutex_lock(&list_lock);
    take_out(s);
    pthread_mutex_unlock(&list_lock);
    if (s->left != NULL)
        s->left(s);
    if (weft_self_drop_(s, WEFT_SELF_LISTED))
        weft_self_gather_(s);
}

void
weft_self_end_(void)
{
    struct weft_self *s = weft_self_record_;

    if (s != NULL && !s->leaves_by_key)
        weft_self_leave_(s);
}

/* The key's destructor: its value counts the rounds that are left. */
static void
end_thread(void *value)
{
    const uintptr_t rounds = (uintptr_t)value;

    weft_asan_forget_frames_(); /* it may have been cancelled */
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
    s->leaves_by_key = key_is_there &&
                       pthread_setspecific(key, (void *)(uintptr_t)ROUNDS) == 0;
}

/* The first record of the process is there before there is memory. */
static struct weft_self *
own_record(void)
{
    const bool is_main = syscall(SYS_gettid) == getpid();
    struct weft_self *known =
        atomic_load_explicit(&main_record, memory_order_relaxed);
    struct weft_self *s = &first_record;

    if (is_main && known == s && first_is_free) {
        first_is_free = false;
        return s;
    }
    s = weft_self_create_(WEFT_SELF_FOREIGN);
    if (s == NULL)
        return NULL;
    weft_self_list_(s);
    if (is_main && known == NULL) /* in a child of a thread we did not know */
        /* release: main */
        atomic_store_explicit(&main_record, s, memory_order_release);
    else
        weft_self_release_(s);
    return s;
}

uint32_t
weft_self_enter_(void)
{
    if (weft_self_own_tag_ != 0)
        return weft_self_own_tag_;
    struct weft_self *s = own_record();
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
weft_self_first_id_of_(uint32_t tag)
{
    return tag >> TAG_SHIFT;
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
drop_in_child(struct weft_self *s)
{
    take_out(s);
    if (weft_self_drop_(s, WEFT_SELF_LISTED))
        weft_self_gather_(s);
}

static void
in_child(void)
{
    struct weft_self *s = atomic_load_explicit(&head, memory_order_relaxed);
    struct weft_self *own = weft_self_record_;

    generation++;
    while (s != NULL) {
        struct weft_self *next =
            atomic_load_explicit(&s->next, memory_order_relaxed);
        if (s != own)
            drop_in_child(s);
        s = next;
    }
    if (own != NULL) {
        own->generation = generation;
        atomic_store_explicit(&own->native_id, syscall(SYS_gettid),
                              memory_order_relaxed);
        weft_self_retain_(own);
    }
    /* release: main */
    atomic_store_explicit(&main_record, own, memory_order_release);
    pthread_mutex_unlock(&list_lock);
}

/* Before main: it is thread 1. */
__attribute__((constructor)) static void
begin(void)
{
    key_is_there = pthread_key_create(&key, end_thread) == 0;
    (void)pthread_atfork(before_fork, after_fork, in_child);
    first_record.kind = WEFT_SELF_MAIN;
    atomic_init(&main_record, &first_record);
    atomic_init(&first_record.shares, WEFT_SELF_HANDLE);
    weft_self_list_(&first_record);
    atomic_store_explicit(&first_record.native_id, getpid(),
                          memory_order_relaxed);
    weft_self_enter_();
    clock_tells_id = weft_native_id_of_(pthread_self()) == syscall(SYS_gettid);
}
