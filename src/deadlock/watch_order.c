/* SPDX-License-Identifier: MIT */
/*
 * watch_order.c - from a thread's record to its part of the graph.
 *
 * The part is mapped when its thread has something to tell for the first time,
 * and unmapped when it ends; nobody else reads it.  It holds a number for what
 * the thread holds, which goes wrong while nobody predicts: so it is counted
 * again each time something new is told, and what was known is void by then.
 *
 * A graph that is full notes nothing any more, since an order that is missing
 * would make deadlocks out of nothing.  Then nobody predicts.
 */
#include "deadlock/watch_order.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/name.h"
#include "base/writer.h"
#include "deadlock/order.h"
#include "deadlock/watch.h"

void *_Atomic weft_watch_graph_;
__thread enum weft_watch_news weft_watch_news_;
void (*_Atomic weft_watch_say_)(void);

void
weft_watch_say_now_(void)
{
    void (*say)(void) =
        atomic_load_explicit(&weft_watch_say_, memory_order_relaxed);

    weft_watch_news_ = WEFT_NO_NEWS;
    if (say != NULL)
        say();
}

/* The process in which the calling thread forks; 0: it does not. */
static __thread pid_t forks_in __attribute__((tls_model("initial-exec")));

void
weft_watch_forks_(bool now)
{
    forks_in = now ? getpid() : 0;
}

bool
weft_watch_is_cut_off_(void)
{
    return forks_in != 0 && getpid() != forks_in;
}

/* --- the part of a thread ------------------------------------------------- */

static void *
map(size_t bytes)
{
    const int saved = errno;
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    errno = saved;
    return p != MAP_FAILED ? p : NULL;
}

/* A thread that the graph does not know: also the one of a forked child. */
static bool
begin(struct weft_order *g, struct weft_self *s)
{
    if (s->order == NULL)
        s->order = map(sizeof(*s->order));
    if (s->order == NULL)
        return false;
    memset(s->order, 0, sizeof(*s->order));
    if (s->kind == WEFT_SELF_FOREIGN)
        weft_order_stranger_begins_(g, s->order, s->id);
    else
        weft_order_begins_(g, s->order, s->id);
    weft_order_name_(s->order, weft_name_get_(s));
    return s->order->graph == g;
}

/* The calling thread's, if somebody predicts. */
static struct weft_order_thread *
mine(void)
{
    struct weft_order *g = weft_watch_graph_now_();
    struct weft_self *s = g != NULL ? weft_self_get_() : NULL;

    if (s == NULL || weft_watch_is_cut_off_())
        return NULL;
    weft_watch_say_news_();
    if (s->order == NULL || s->order->graph != g)
        return begin(g, s) ? s->order : NULL;
    return s->order;
}

void
weft_watch_ends_(struct weft_self *s)
{
    if (s->order == NULL)
        return;
    weft_watch_say_news_();
    if (s->kind == WEFT_SELF_FOREIGN)
        weft_order_stranger_ends_(s->order);
    else
        weft_order_ends_(s->order);
    (void)munmap(s->order, sizeof(*s->order));
    s->order = NULL;
    s->short_at = 0;
}

/* --- a graph that is full ------------------------------------------------- */

static void
say_full(const struct weft_order *g)
{
    static struct weft_writer writer = {.fd = STDERR_FILENO};

    weft_writer_say_(&writer,
                     "weft: the %zu MiB for the orders of locks are full: no "
                     "more is said of what could happen, only of what does "
                     "(WEFT_DEADLOCK=...:memory=BYTES)\n",
                     weft_order_bytes_(g) >> 20);
    weft_writer_flush_(&writer);
}

/* One of those who see it says so. */
static void
look_for_room(struct weft_order *g)
{
    void *shown = g;

    if (weft_order_is_full_(g) &&
        atomic_compare_exchange_strong_explicit(&weft_watch_graph_, &shown,
                                                NULL, memory_order_relaxed,
                                                memory_order_relaxed)) {
        weft_watch_changed_();
        say_full(g);
    }
}

/* --- locks ---------------------------------------------------------------- */

/* What the thread holds, but `without`; counted again for the number. */
static uint32_t
copy_held(struct weft_self *s, struct weft_dl_held *out, const void *without)
{
    const uint32_t all =
        atomic_load_explicit(&s->held_count, memory_order_relaxed);
    uint64_t set = 0;
    uint32_t n = 0;

    for (uint32_t i = 0; i < all && i < WEFT_HELD_MAX; i++) {
        struct weft_dl_held *h = &out[n];
        *h = (struct weft_dl_held){
            .object =
                atomic_load_explicit(&s->held[i].object, memory_order_relaxed),
            .kind = (enum weft_kind)atomic_load_explicit(&s->held[i].kind,
                                                         memory_order_relaxed),
            .place.call[0] =
                atomic_load_explicit(&s->held[i].place, memory_order_relaxed)};
        s->held[i].before = set;
        set += weft_order_mix_(h->object, h->kind);
        n += h->object != without;
    }
    if (all <= WEFT_HELD_MAX)
        s->held[all].before = set;
    s->order->set = s->held[all < WEFT_HELD_MAX ? all : WEFT_HELD_MAX].before;
    return n;
}

void
weft_watch_wants_(const void *object, enum weft_kind kind)
{
    const struct weft_dl_held wanted = {
        .object = object, .kind = kind, .place.call[0] = weft_watch_caller_};
    struct weft_dl_held held[WEFT_HELD_MAX];
    struct weft_order_thread *t = mine();
    struct weft_self *s = weft_self_record_;

    if (t == NULL)
        return;
    const uint32_t n = copy_held(s, held, NULL);
    if (weft_order_knows_(t, object, kind))
        return;
    weft_watch_news_ = WEFT_NEWS_MAY_COME;
    weft_order_wants_(t, &wanted, held, n);
    if (weft_watch_news_ == WEFT_NEWS_MAY_COME)
        weft_watch_news_ = WEFT_NO_NEWS;
    look_for_room(t->graph);
}

static bool
is_guard(const void *mutex)
{
    return weft_watch_graph_now_() != NULL && weft_order_is_guard_(mutex);
}

void
weft_watch_passes_(const void *mutex)
{
    const struct weft_dl_place place = {{weft_watch_caller_}};
    struct weft_order_thread *t = is_guard(mutex) ? mine() : NULL;

    if (t != NULL)
        weft_order_passes_(t, mutex, &place);
}

void
weft_watch_frees_(const void *mutex)
{
    struct weft_order_thread *t = is_guard(mutex) ? mine() : NULL;

    if (t != NULL)
        weft_order_frees_(t, mutex);
}

/* --- waits ---------------------------------------------------------------- */

uintptr_t
weft_watch_place_of_(const void *object)
{
    const struct weft_self *s = weft_self_record_;

    if (s == NULL)
        return 0;
    uint32_t n = atomic_load_explicit(&s->held_count, memory_order_relaxed);

    for (n = n < WEFT_HELD_MAX ? n : WEFT_HELD_MAX; n > 0; n--)
        if (atomic_load_explicit(&s->held[n - 1].object,
                                 memory_order_relaxed) == object)
            return atomic_load_explicit(&s->held[n - 1].place,
                                        memory_order_relaxed);
    return 0;
}

void
weft_watch_awaits_(const void *object, enum weft_kind kind, const void *without,
                   weft_deadline deadline)
{
    const struct weft_dl_held wanted = {
        .object = kind != WEFT_KIND_THREAD ? object : NULL,
        .kind = kind,
        .place.call[0] = weft_watch_caller_};
    struct weft_dl_held held[WEFT_HELD_MAX];
    struct weft_order_thread *t = mine();
    struct weft_self *s = weft_self_record_;

    if (t == NULL)
        return;
    if (kind == WEFT_KIND_COND) {
        const struct weft_dl_place place = {{weft_watch_place_of_(without)}};
        weft_order_listens_(t, object, without, &place);
    }
    if (deadline != WEFT_FOREVER)
        return;
    const uint32_t n = copy_held(s, held, without);
    if (n > 0)
        weft_order_awaits_(t, &wanted, held, n);
    look_for_room(t->graph);
}

void
weft_watch_tells_(const void *object, enum weft_kind kind, const void *guard,
                  uint32_t n)
{
    struct weft_order_thread *t = mine();

    if (t == NULL)
        return;
    switch (kind) {
    case WEFT_KIND_ONCE:
        weft_order_ran_(t, object);
        break;
    case WEFT_KIND_BARRIER:
        weft_order_arrives_(t, object, n);
        break;
    case WEFT_KIND_SEMAPHORE:
        weft_order_posts_(t, object, n);
        break;
    default:
        weft_order_tells_(t, object, guard);
        break;
    }
    look_for_room(t->graph);
}

void
weft_watch_hears_(const void *object, enum weft_kind kind)
{
    struct weft_order_thread *t = mine();

    if (t == NULL)
        return;
    switch (kind) {
    case WEFT_KIND_ONCE:
        weft_order_passed_(t, object);
        break;
    case WEFT_KIND_BARRIER:
        weft_order_leaves_(t, object);
        break;
    case WEFT_KIND_SEMAPHORE:
        weft_order_takes_(t, object);
        break;
    default:
        weft_order_told_(t, object);
        break;
    }
}

/* --- threads and objects -------------------------------------------------- */

void
weft_watch_creates_(uint64_t id)
{
    struct weft_order_thread *t = mine();

    if (t != NULL)
        weft_order_creates_(t, id);
}

void
weft_watch_joins_(uint64_t id)
{
    struct weft_order_thread *t = mine();

    if (t != NULL)
        weft_order_joins_(t, id);
}

void
weft_watch_orders_from_(const void *semaphore, uint32_t value)
{
    struct weft_order *g = weft_watch_graph_now_();

    if (g != NULL && !weft_watch_is_cut_off_())
        weft_order_sem_begins_(g, semaphore, value);
}

void
weft_watch_forgets_(const void *object, size_t bytes)
{
    struct weft_order *g = weft_watch_graph_now_();

    if (g != NULL && !weft_watch_is_cut_off_())
        weft_order_forgets_(g, object, bytes);
}
