/* SPDX-License-Identifier: MIT */
/*
 * deadlock_order.c - the graph of orders while the detector is on, and who says
 * what it has found.
 *
 * There is one graph from the first time on.  What happens while the detector
 * is off is not told, so when it is on again all locks begin a new life: what
 * was known of them is void.  A forked child has a graph of its own: of that of
 * its parent another thread may have held the lock.
 *
 * A deadlock that could happen is told by the thread that closed the cycle, as
 * soon as it is seen not to happen (deadlock/watch_order.h): one that does is told
 * as that, and no more as one that could.  Nothing fails and nothing is aborted
 * for it: nobody waits.
 *
 * Ordering.
 *
 *     order.found   a finding is written  ->  it is said
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include <weft/deadlock.h>

#include "base/name.h"
#include "base/self.h"
#include "base/symbol.h"
#include "deadlock/order.h"
#include "deadlock/watch.h"
#include "thread/deadlock.h"

static struct weft_order *graph;
static bool plain;
static size_t bytes;
static _Atomic size_t predicted;
static const struct weft_order_found *last; /* that was looked at */

/* Marks of what was told, in rings: what could happen, what did. */
#define KNOWN 128
static struct marks {
    uint64_t at[KNOWN];
    unsigned next;
} could, does;

void
weft_deadlock_order_options_(bool is_plain, size_t memory)
{
    plain = is_plain;
    bytes = memory;
}

size_t
weft_deadlock_predicted(void)
{
    weft_watch_say_news_();
    return atomic_load_explicit(&predicted, memory_order_relaxed);
}

static const struct weft_order_found *
next_of(const struct weft_order_found *f, const struct weft_order *of)
{
    if (f == NULL)
        return weft_order_first_(of);
    /* acquire: order.found */
    return atomic_load_explicit(&f->next, memory_order_acquire);
}

/* A number for what its threads wait for: the same whether it does or could. */
static uint64_t
mark_of(const struct weft_dl_picture *p, const struct weft_dl_found *f)
{
    uint64_t sum = 0;

    for (uint32_t i = f->first; i != WEFT_DL_NONE; i = p->threads[i].next)
        sum += weft_order_scatter_(p->threads[i].wait.object, WEFT_KIND_NONE);
    return sum != 0 ? sum : 1;
}

static bool
has(const struct marks *m, uint64_t mark)
{
    for (int i = 0; i < KNOWN; i++)
        if (m->at[i] == mark)
            return true;
    return false;
}

static void
add(struct marks *m, uint64_t mark)
{
    if (!has(m, mark))
        m->at[m->next++ % KNOWN] = mark;
}

bool
weft_deadlock_order_happens_(const struct weft_dl_picture *p,
                             const struct weft_dl_found *f)
{
    const uint64_t mark = mark_of(p, f);

    if (f->certain) /* else the other says more: who holds what */
        add(&does, mark);
    return has(&could, mark);
}

/* Say what is new.  Alone. */
static void
say_found(const void *of)
{
    const struct weft_order_found *f = next_of(last, of);

    for (; f != NULL; f = next_of(f, of)) {
        const uint64_t mark = mark_of(&f->picture, &f->found);
        last = f;
        if (has(&does, mark) ||
            weft_deadlock_suppresses_(&f->picture, &f->found))
            continue;
        add(&could, mark);
        atomic_fetch_add_explicit(&predicted, 1, memory_order_relaxed);
        weft_deadlock_say_(&f->picture, &f->found);
    }
}

void
weft_deadlock_order_say_(void)
{
    if (graph != NULL)
        say_found(graph);
}

static void
say(void)
{
    if (graph != NULL)
        weft_deadlock_alone_(say_found, graph);
}

/* Something was found. */
static void
tell(void *unused)
{
    (void)unused;
    if (weft_watch_news_ == WEFT_NEWS_MAY_COME)
        weft_watch_news_ = WEFT_NEWS;
    else
        say();
}

/* --- the graph ------------------------------------------------------------ */

static void *
map(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return p != MAP_FAILED ? p : NULL;
}

static struct weft_order *
make_graph(void)
{
    const struct weft_order_options options = {
        .bytes = bytes, .plain = plain, .map = map, .news = tell};

    return weft_order_create_(&options);
}

static void
show(struct weft_order *g)
{
    atomic_store_explicit(&weft_watch_graph_, g, memory_order_relaxed);
    weft_watch_changed_();
}

void
weft_deadlock_order_begin_(void)
{
    atomic_store_explicit(&weft_self_left_orders_, weft_watch_ends_,
                          memory_order_relaxed);
    if (graph == NULL)
        graph = make_graph();
    else
        weft_order_forgets_(graph, NULL, SIZE_MAX);
    atomic_store_explicit(&weft_watch_say_, say, memory_order_relaxed);
    if (graph != NULL && !weft_order_is_full_(graph))
        show(graph);
}

void
weft_deadlock_order_end_(void)
{
    show(NULL);
}

void
weft_deadlock_order_forked_(void)
{
    const bool predicts = weft_watch_graph_now_() != NULL;

    if (graph == NULL)
        return;
    weft_order_after_fork_(graph);
    weft_watch_news_ = WEFT_NO_NEWS;
    last = NULL;
    graph = predicts ? make_graph() : NULL;
    show(graph);
}
