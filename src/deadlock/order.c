/* SPDX-License-Identifier: MIT */
/*
 * order.c - the graph: its lock, its memory, and what threads tell it.
 *
 * Everything here runs in hooks of a foreign program, between any two of its
 * instructions: no lock of pthreads and no malloc.  A handler of a signal may
 * interrupt a call that has the lock, and take a lock itself; it finds `inside`
 * set and tells nothing.
 *
 * Memory is mapped in pieces and given out in sizes; what is given back is used
 * again for the same size.  Once a request fails nothing more is noted at all:
 * an order that is missing would make deadlocks out of nothing.
 *
 * Ordering.
 *
 *     order.turn   who had the lock of the graph  ->  who has it now
 *     order.found  a finding is written           ->  who reads the list
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "deadlock/order_impl.h"

#define CAP        ((size_t)64 << 20)
#define PIECE      ((size_t)64 << 10)
#define TABLES     8
#define LOOKS      100
#define BUCKETS    65536
#define MORE       4096 /* what a thread knows besides */
#define REPEATS    64   /* after which it gets that */
#define PATIENCE_S 2

_Atomic uint64_t weft_order_lives_[WEFT_ORDER_LIVES];
_Atomic uint64_t weft_order_guards_;

/* --- the lock ------------------------------------------------------------- */

static bool
is_taken_now(struct weft_order *o)
{
    uint32_t free = 0;

    /* acquire: order.turn */
    return atomic_compare_exchange_strong_explicit(
        &o->taken, &free, 1, memory_order_acquire, memory_order_relaxed);
}

/* Who has the lock may be stopped for as long as it takes the caller to do
 * something, as by a collector of garbage: then nothing is noted any more. */
static bool
sleep_for_lock(struct weft_order *o)
{
    const struct timespec patience = {PATIENCE_S, 0};
    const int saved = errno;
    long r = 0;

    /* acquire: order.turn */
    while (atomic_exchange_explicit(&o->taken, 2, memory_order_acquire) != 0) {
        r = syscall(SYS_futex, &o->taken, FUTEX_WAIT_PRIVATE, 2, &patience,
                    NULL, 0);
        if (r != 0 && errno == ETIMEDOUT) {
            atomic_store_explicit(&o->held_up, true, memory_order_relaxed);
            atomic_store_explicit(&o->full, true, memory_order_relaxed);
            break;
        }
        r = 0;
    }
    errno = saved;
    return r == 0;
}

bool
weft_order_lock_(struct weft_order *o)
{
    for (int i = 0; i < LOOKS; i++)
        if (is_taken_now(o))
            return true;
    return sleep_for_lock(o);
}

void
weft_order_unlock_(struct weft_order *o)
{
    /* release: order.turn */
    if (atomic_exchange_explicit(&o->taken, 0, memory_order_release) == 1)
        return;
    const int saved = errno;
    syscall(SYS_futex, &o->taken, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    errno = saved;
}

static uint64_t
set_signals(uint64_t set)
{
    const int saved = errno;
    uint64_t old = 0;

    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, &old, sizeof(set));
    errno = saved;
    return old;
}

bool
weft_order_lock_alone_(struct weft_order *o, uint64_t *signals)
{
    *signals = set_signals(UINT64_MAX);
    if (weft_order_lock_(o))
        return true;
    set_signals(*signals);
    return false;
}

void
weft_order_unlock_alone_(struct weft_order *o, uint64_t signals)
{
    weft_order_unlock_(o);
    set_signals(signals);
}

bool
weft_order_is_full_(const struct weft_order *o)
{
    return atomic_load_explicit(&o->full, memory_order_relaxed);
}

bool
weft_order_is_held_up_(const struct weft_order *o)
{
    return atomic_load_explicit(&o->held_up, memory_order_relaxed);
}

bool
weft_order_enter_(struct weft_order_thread *t)
{
    if (t->graph == NULL || t->inside || weft_order_is_full_(t->graph))
        return false;
    t->inside = true;
    if (!weft_order_lock_(t->graph))
        t->inside = false;
    else if (t->node->strangers != t->graph->strangers)
        weft_order_catch_up_(t);
    return t->inside;
}

void
weft_order_leave_(struct weft_order_thread *t)
{
    struct weft_order *o = t->graph;
    const bool news = o->news;

    o->news = false;
    weft_order_unlock_(o);
    if (news && o->options.news != NULL)
        o->options.news(o->options.context);
    t->inside = false;
}

/* --- memory --------------------------------------------------------------- */

static void *
map(struct weft_order *o, size_t bytes)
{
    const size_t used = atomic_load_explicit(&o->bytes, memory_order_relaxed);
    const int saved = errno;
    void *p = NULL;

    bytes = (bytes + PIECE - 1) / PIECE * PIECE;
    if (used + bytes <= o->options.bytes)
        p = o->options.map(bytes);
    errno = saved;
    if (p == NULL)
        atomic_store_explicit(&o->full, true, memory_order_relaxed);
    else
        atomic_store_explicit(&o->bytes, used + bytes, memory_order_relaxed);
    return p;
}

/* Round up to a size that is given out, and say which; 0: to be mapped. */
static size_t
round_up(size_t *bytes)
{
    size_t class = 64;

    if (*bytes <= 1024) {
        class = (*bytes + 15) / 16;
        *bytes = class * 16;
        return class;
    }
    for (size_t room = 2048; ++class < WEFT_ORDER_CLASSES; room *= 2)
        if (*bytes <= room) {
            *bytes = room;
            return class;
        }
    return 0;
}

void *
weft_order_take_(struct weft_order *o, size_t bytes)
{
    const size_t class = round_up(&bytes);
    void *p = o->spare[class];

    if (weft_order_is_full_(o))
        return NULL;
    if (p != NULL) {
        memcpy(&o->spare[class], p, sizeof(p));
        return memset(p, 0, bytes);
    }
    if (bytes > PIECE / 2)
        return map(o, bytes);
    if (bytes > o->left) {
        p = map(o, PIECE);
        if (p == NULL)
            return NULL;
        o->bump = p;
        o->left = PIECE;
    }
    p = o->bump;
    o->bump += bytes;
    o->left -= bytes;
    return p;
}

void
weft_order_give_(struct weft_order *o, void *p, size_t bytes)
{
    const size_t class = round_up(&bytes);

    if (class == 0)
        return;
    memcpy(p, &o->spare[class], sizeof(p));
    o->spare[class] = p;
}

/* --- the graph ------------------------------------------------------------ */

static bool
make_tables(struct weft_order *o)
{
    size_t buckets = BUCKETS;

    while (buckets > 64 &&
           buckets * TABLES * sizeof(void *) > o->options.bytes / 8)
        buckets /= 2;
    void **all = map(o, TABLES * buckets * sizeof(*all));
    o->pages = map(o, WEFT_ORDER_PAGES);
    if (all == NULL || o->pages == NULL)
        return false;
    o->mask = buckets - 1;
    o->nodes = (struct weft_order_node **)all;
    o->locks = (struct weft_order_lock **)(all + buckets);
    o->places = (struct weft_order_place **)(all + 2 * buckets);
    o->stacks = (struct weft_order_stack **)(all + 3 * buckets);
    o->combinations = (struct weft_order_combination **)(all + 4 * buckets);
    o->edges = (struct weft_order_edge **)(all + 5 * buckets);
    o->told = (struct weft_order_told **)(all + 6 * buckets);
    o->syncs = (struct weft_order_sync **)(all + 7 * buckets);
    return true;
}

struct weft_order *
weft_order_create_(const struct weft_order_options *options)
{
    struct weft_order *o = options->map != NULL ? options->map(PIECE) : NULL;

    if (o == NULL)
        return NULL;
    o->options = *options;
    if (o->options.bytes == 0)
        o->options.bytes = CAP;
    atomic_store_explicit(&o->bytes, PIECE, memory_order_relaxed);
    o->bump = (char *)o + (sizeof(*o) + 63) / 64 * 64;
    o->left = PIECE - (size_t)(o->bump - (char *)o);
    return make_tables(o) ? o : NULL;
}

size_t
weft_order_bytes_(const struct weft_order *o)
{
    return atomic_load_explicit(&o->bytes, memory_order_relaxed);
}

void
weft_order_after_fork_(struct weft_order *o)
{
    atomic_store_explicit(&o->full, true, memory_order_relaxed);
    atomic_store_explicit(&o->taken, 0, memory_order_relaxed);
}

const struct weft_order_found *
weft_order_first_(const struct weft_order *o)
{
    /* acquire: order.found */
    return atomic_load_explicit(&o->first, memory_order_acquire);
}

/* --- what threads tell ---------------------------------------------------- */

/* Two places for each: the newer one comes first. */
static void
put_known(struct weft_order_thread *t, uint64_t key)
{
    uint64_t *pair = &t->known[(key >> 24) % WEFT_ORDER_KNOWN & ~1u];

    pair[1] = pair[0];
    pair[0] = key;
}

static void
remember(struct weft_order_thread *t, uint64_t key)
{
    put_known(t, key);
    if (t->node != NULL && t->node->more != NULL)
        t->node->more[(key >> 40) % MORE] = key;
}

/* Whether locks that are taken alone are no longer noted: they matter least. */
static bool
is_crowded(const struct weft_order *o)
{
    return weft_order_bytes_(o) > o->options.bytes / 2;
}

/* Whether it is not worth a look: told before, or full. */
static bool
is_known(struct weft_order_thread *t, uint64_t key, bool alone)
{
    if (t->graph == NULL || t->inside)
        return true;
    if (!weft_order_is_full_(t->graph) && !(alone && is_crowded(t->graph)) &&
        (t->node->more == NULL || t->node->more[(key >> 40) % MORE] != key))
        return false;
    put_known(t, key);
    return true;
}

bool
weft_order_knew_(struct weft_order_thread *t, const void *object,
                 enum weft_kind kind, bool alone)
{
    return is_known(t, weft_order_key_(t, object, kind), alone);
}

void
weft_order_drop_more_(struct weft_order *o, struct weft_order_node *n)
{
    if (n->more != NULL)
        weft_order_give_(o, n->more, MORE * sizeof(n->more[0]));
    n->more = NULL;
}

/* It told what was known: its own memory of that is too small. */
static void
repeat(struct weft_order_thread *t)
{
    if (++t->node->repeats == REPEATS)
        t->node->more =
            weft_order_take_(t->graph, MORE * sizeof(t->node->more[0]));
}

void
weft_order_wants_(struct weft_order_thread *t,
                  const struct weft_dl_held *wanted,
                  const struct weft_dl_held *held, uint32_t held_count)
{
    const uint64_t key = weft_order_key_(t, wanted->object, wanted->kind);
    bool is_new = false;

    if (is_known(t, key, held_count == 0) || !weft_order_enter_(t))
        return;
    const struct weft_order_moment now = weft_order_now_(t->node);
    struct weft_order_combination *c =
        weft_order_note_(t, wanted, held, held_count, &is_new);
    if (is_new)
        weft_order_search_(t->graph, c, &now);
    else
        repeat(t);
    remember(t, key);
    weft_order_leave_(t);
}

/* --- waits for what others do --------------------------------------------- */

void
weft_order_wait_over_(struct weft_order_thread *t)
{
    if (t->node->awaits == NULL)
        return;
    t->node->awaits = NULL;
    weft_order_drop_clock_(t->graph, t->node->awaits_at.clock);
}

void
weft_order_awaits_(struct weft_order_thread *t,
                   const struct weft_dl_held *wanted,
                   const struct weft_dl_held *held, uint32_t held_count)
{
    bool is_new = false;

    if (!weft_order_enter_(t))
        return;
    weft_order_wait_over_(t);
    struct weft_order_combination *c =
        weft_order_note_(t, wanted, held, held_count, &is_new);
    if (c != NULL && c->held->depth > 0) {
        t->node->awaits = c;
        t->node->awaits_at = weft_order_now_(t->node);
        if (t->node->clock != NULL)
            t->node->clock->holders++;
    }
    weft_order_leave_(t);
}

void
weft_order_done_by_(struct weft_order_thread *t, const void *object,
                    const struct weft_order_moment *doer)
{
    const struct weft_order_combination *c = t->node->awaits;

    if (c == NULL || doer->node == t->node ||
        (object == NULL ? c->kind != WEFT_KIND_THREAD
                        : c->lock->object != object))
        return;
    weft_order_search_wait_(t->graph, t->node->awaits, &t->node->awaits_at,
                            doer);
}
