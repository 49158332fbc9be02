/* SPDX-License-Identifier: MIT */
/*
 * container/fifo_segment.c - the list of segments, and where they come from
 * and go to.
 *
 * The list is Michael & Scott's (Simple, Fast, and Practical Non-Blocking and
 * Blocking Concurrent Queue Algorithms, PODC 1996) with segments for nodes and
 * without a dummy.  `head` and `tail` move on by one segment at a time, each by
 * whoever comes by:
 *
 *     append     youngest->next {NULL, life} -> {s, life}    s is shared now
 *     tail on    tail {youngest, life} -> {s, life + 1}
 *     head on    head {oldest, life} -> {next, life + 1}     who does it retires
 *                                                            the oldest
 *
 * Before the head goes on, the tail is helped past the oldest, so a retired
 * segment is in the list no more and no end leads to it.
 *
 * It serves again at once.  That is safe without a grace period, because every
 * change of it, in its next life, is refused to a thread that means this one:
 *
 *     next       is compared with the life; made {NULL, new life} by who took
 *                the segment from the spares, before he shares it
 *     a cell     is compared with its stamp, and stamps only grow: see the
 *                forms
 *
 * Who lost the race to append puts his segment back: the life that it was
 * prepared for is not its own then, but no end ever led to it in that life.
 *
 * Spares are a few words; a segment is put in with a compare-and-swap from NULL
 * and taken out with an exchange.  When there is no room it is deferred
 * (base/reclaim.h), as stopped threads may read it.
 *
 * Memory comes from mmap and not from malloc, whose locks a stopped thread may
 * hold, and comes as zero bytes: stamp 0, which is older than every life.
 *
 * Ordering.
 *
 *     append     a segment is linked     ->  who finds it by next
 *     fifo.go_on   an end moves on   ->  who begins there
 *     store      a segment is put away   ->  who takes it
 */
#include "container/fifo_impl.h"

#include <stddef.h>
#include <sys/mman.h>

#include "base/sched.h"

struct weft_fifo_start weft_fifo_start_ = {1, WEFT_FIFO_CELLS};

static struct weft_fifo_segment *
map_segment(void)
{
    void *memory =
        mmap(NULL, sizeof(struct weft_fifo_segment), PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

static void
unmap(struct weft_fifo_segment *s)
{
    munmap(s, sizeof(*s));
}

static void
give_back(struct weft_retired *r)
{
    unmap(
        (struct weft_fifo_segment *)(void *)((char *)r -
                                             offsetof(struct weft_fifo_segment,
                                                      retired)));
}

/* Nobody changes `s` any more but who takes it from the spares. */
static void
put_away(weft_fifo *f, struct weft_fifo_segment *s)
{
    for (unsigned i = 0; i < WEFT_FIFO_SPARES; i++) {
        struct weft_fifo_segment *none = NULL;
        if (atomic_load_explicit(&f->spares[i], memory_order_relaxed) != NULL)
            continue;
        /* release: store */
        if (atomic_compare_exchange_strong_explicit(&f->spares[i], &none, s,
                                                    memory_order_release,
                                                    memory_order_relaxed))
            return;
    }
    weft_reclaim_defer_(&s->retired, give_back);
}

/* A segment for `life`, not shared yet; NULL if there is no memory. */
static struct weft_fifo_segment *
get_segment(weft_fifo *f, uint64_t life)
{
    struct weft_fifo_segment *s = NULL;

    for (unsigned i = 0; i < WEFT_FIFO_SPARES && s == NULL; i++) {
        if (atomic_load_explicit(&f->spares[i], memory_order_relaxed) != NULL)
            /* acquire: store */
            s = atomic_exchange_explicit(&f->spares[i], NULL,
                                         memory_order_acquire);
    }
    if (s == NULL)
        s = map_segment();
    if (s == NULL)
        return NULL;

    /* As a whole: in between, a stopped append of an old life would take its
     * own life with NULL for the end of the list. */
    void *next = atomic_load_explicit(&s->next.item, memory_order_relaxed);
    uint64_t old = atomic_load_explicit(&s->next.stamp, memory_order_relaxed);
    (void)!weft_pair_replace_(&s->next, next, old, NULL, life,
                              memory_order_relaxed);
    return s;
}

struct weft_fifo_place
weft_fifo_look_(const struct weft_fifo_end *end)
{
    struct weft_fifo_place at;
    uint64_t again;

    /* acquire: fifo.go_on */
    again = atomic_load_explicit(&end->segment.stamp, memory_order_acquire);
    do {
        at.life = again;
        /* acquire: fifo.go_on */
        at.s = atomic_load_explicit(&end->segment.item, memory_order_acquire);
        /* acquire: fifo.go_on */
        again = atomic_load_explicit(&end->segment.stamp, memory_order_acquire);
    } while (again != at.life);
    at.index = 0;
    return at;
}

/*
 * The segment after `at`; NULL if there is none.  *is_old: `at` is no longer
 * in the list.
 */
static struct weft_fifo_segment *
next_of(const struct weft_fifo_place *at, bool *is_old)
{
    /* In this order: `next` is replaced with a new life, so an old life here
     * means that what was read before is of that life, too. */
    /* acquire: append */
    struct weft_fifo_segment *next =
        atomic_load_explicit(&at->s->next.item, memory_order_acquire);

    const uint64_t life =
        atomic_load_explicit(&at->s->next.stamp, memory_order_relaxed);
    *is_old = (life & ~WEFT_FIFO_END_) != at->life;
    return next;
}

bool
weft_fifo_is_end_of_list_(const struct weft_fifo_place *at)
{
    /* acquire: append */
    return atomic_load_explicit(&at->s->next.stamp, memory_order_acquire) ==
           (at->life | WEFT_FIFO_END_);
}

static void
move_on(struct weft_fifo_end *end, const struct weft_fifo_place *at,
        struct weft_fifo_segment *next)
{
    /* acq_rel: fifo.go_on */
    (void)!weft_pair_replace_(&end->segment, at->s, at->life, next,
                              at->life + 1, memory_order_acq_rel);
}

bool
weft_fifo_tail_on_(weft_fifo *f, const struct weft_fifo_place *at)
{
    bool is_old;
    struct weft_fifo_segment *next = next_of(at, &is_old);

    if (is_old)
        return true;
    if (next == NULL && weft_fifo_is_end_of_list_(at))
        return false;
    if (next == NULL) {
        struct weft_fifo_segment *s = get_segment(f, at->life + 1);
        if (s == NULL)
            return next_of(at, &is_old) != NULL || is_old;
        WEFT_SCHED_POINT_("fifo.push.has_segment");
        /* acq_rel: append */
        if (!weft_pair_replace_(&at->s->next, NULL, at->life, s, at->life,
                                memory_order_acq_rel)) {
            put_away(f, s);
            return true;
        }
        next = s;
        WEFT_SCHED_POINT_("fifo.push.appended");
    }
    move_on(&f->tail, at, next);
    return true;
}

bool
weft_fifo_end_list_(weft_fifo *f, const struct weft_fifo_place *at)
{
    bool is_old;
    struct weft_fifo_segment *next = next_of(at, &is_old);

    if (is_old || weft_fifo_is_end_of_list_(at))
        return !is_old;
    if (next != NULL) {
        move_on(&f->tail, at, next);
        return false;
    }
    /* acq_rel: append */
    return weft_pair_replace_(&at->s->next, NULL, at->life, NULL,
                              at->life | WEFT_FIFO_END_, memory_order_acq_rel);
}

bool
weft_fifo_head_on_(weft_fifo *f, const struct weft_fifo_place *at)
{
    bool is_old;
    struct weft_fifo_segment *next = next_of(at, &is_old);

    if (is_old)
        return true;
    if (next == NULL)
        return false;
    /* The tail is here or beyond, so this leaves it beyond. */
    if (atomic_load_explicit(&f->tail.segment.stamp, memory_order_relaxed) ==
        at->life)
        move_on(&f->tail, at, next);
    /* acq_rel: fifo.go_on */
    if (weft_pair_replace_(&f->head.segment, at->s, at->life, next,
                           at->life + 1, memory_order_acq_rel)) {
        WEFT_SCHED_POINT_("fifo.pop.retires");
        put_away(f, at->s);
    }
    return true;
}

static void
init_end(struct weft_fifo_end *end, struct weft_fifo_segment *s, uint64_t life)
{
    atomic_init(&end->segment.item, s);
    atomic_init(&end->segment.stamp, life);
    atomic_init(&end->position, weft_fifo_position_(life, 0));
}

bool
weft_fifo_init_segments_(weft_fifo *f)
{
    f->first_life = weft_fifo_start_.first_life;
    f->cells = weft_fifo_start_.cells;
    struct weft_fifo_segment *s = get_segment(f, f->first_life);
    if (s == NULL)
        return false;
    init_end(&f->tail, s, f->first_life);
    init_end(&f->head, s, f->first_life);
    return true;
}

void
weft_fifo_fini_segments_(weft_fifo *f)
{
    struct weft_fifo_segment *s =
        atomic_load_explicit(&f->head.segment.item, memory_order_relaxed);

    while (s != NULL) {
        struct weft_fifo_segment *next =
            atomic_load_explicit(&s->next.item, memory_order_relaxed);
        unmap(s);
        s = next;
    }
    for (unsigned i = 0; i < WEFT_FIFO_SPARES; i++) {
        s = atomic_load_explicit(&f->spares[i], memory_order_relaxed);
        if (s != NULL)
            unmap(s);
    }
}
