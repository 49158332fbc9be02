/* SPDX-License-Identifier: MIT */
/*
 * container/segments.c - the list of segments, and where they come from and go
 * to.
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
 *     a cell     is compared with what tells its life: see the users
 *
 * Who lost the race to append puts his segment back: the life that it was
 * prepared for is not its own then, but no end ever led to it in that life.
 *
 * Spares are a few words; a segment is put in with a compare-and-swap from NULL
 * and taken out with an exchange.  When there is no room it is deferred
 * (base/reclaim.h), as stopped threads may read it.
 *
 * Memory comes from mmap and not from malloc, whose locks a stopped thread may
 * hold, and comes as zero bytes: which is older than every life.
 *
 * Ordering.
 *
 *     append     a segment is linked     ->  who finds it by next
 *     segments.go_on   an end moves on   ->  who begins there
 *     store      a segment is put away   ->  who takes it
 */
#include "container/segments.h"

#include <stddef.h>
#include <sys/mman.h>

#include "base/sched.h"

typedef struct weft_segment segment;
typedef struct weft_segments segments;
typedef struct weft_segments_place place;

static segment *
map(void)
{
    void *memory = mmap(NULL, sizeof(segment), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

static void
unmap(segment *s)
{
    munmap(s, sizeof(*s));
}

static void
give_back(struct weft_retired *r)
{
    unmap((segment *)(void *)((char *)r - offsetof(segment, retired)));
}

/* Nobody changes `s` any more but who takes it from the spares. */
static void
put_away(segments *l, segment *s)
{
    for (unsigned i = 0; i < WEFT_SEGMENTS_SPARES; i++) {
        segment *none = NULL;
        if (atomic_load_explicit(&l->spares[i], memory_order_relaxed) != NULL)
            continue;
        /* release: store */
        if (atomic_compare_exchange_strong_explicit(&l->spares[i], &none, s,
                                                    memory_order_release,
                                                    memory_order_relaxed))
            return;
    }
    weft_reclaim_defer_(&s->retired, give_back);
}

static segment *
take_spare(segments *l)
{
    segment *s = NULL;

    for (unsigned i = 0; i < WEFT_SEGMENTS_SPARES && s == NULL; i++)
        if (atomic_load_explicit(&l->spares[i], memory_order_relaxed) != NULL)
            /* acquire: store */
            s = atomic_exchange_explicit(&l->spares[i], NULL,
                                         memory_order_acquire);
    return s;
}

/* A segment for `life`, not shared yet; NULL if there is no memory. */
static segment *
get_segment(segments *l, uint64_t life,
            void (*clean)(segment *s, uint64_t life))
{
    segment *s = take_spare(l);

    if (s == NULL)
        s = map();
    else if (clean != NULL)
        clean(s, life);
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

place
weft_segments_look_(const struct weft_segments_end *end)
{
    place at = {.index = 0};
    /* acquire: segments.go_on */
    uint64_t again =
        atomic_load_explicit(&end->segment.stamp, memory_order_acquire);

    do {
        at.life = again;
        /* acquire: segments.go_on */
        at.s = atomic_load_explicit(&end->segment.item, memory_order_acquire);
        /* acquire: segments.go_on */
        again = atomic_load_explicit(&end->segment.stamp, memory_order_acquire);
    } while (again != at.life);
    return at;
}

/* What comes after `at`: its life is *life, which is that of `at` unless that is
 * not in the list any more; or with WEFT_SEGMENTS_CLOSED. */
static segment *
next_of(const place *at, uint64_t *life)
{
    /* In this order: `next` is replaced with a new life, so an old life here
     * means that what was read before is of that life, too. */
    /* acquire: append */
    segment *next =
        atomic_load_explicit(&at->s->next.item, memory_order_acquire);

    /* acquire: append */
    *life = atomic_load_explicit(&at->s->next.stamp, memory_order_acquire);
    return next;
}

bool
weft_segments_is_end_(const place *at)
{
    uint64_t life;

    (void)next_of(at, &life);
    return life == (at->life | WEFT_SEGMENTS_CLOSED);
}

static void
move_on(struct weft_segments_end *end, const place *at, segment *next)
{
    /* acq_rel: segments.go_on */
    (void)!weft_pair_replace_(&end->segment, at->s, at->life, next,
                              at->life + 1, memory_order_acq_rel);
}

enum weft_status
weft_segments_tail_on_(segments *l, const place *at,
                       void (*clean)(segment *s, uint64_t life))
{
    uint64_t life;
    segment *next = next_of(at, &life);

    if (life == (at->life | WEFT_SEGMENTS_CLOSED))
        return WEFT_CLOSED;
    if (life != at->life)
        return WEFT_OK;
    if (next == NULL) {
        next = get_segment(l, at->life + 1, clean);
        if (next == NULL)
            return next_of(at, &life) != NULL || life != at->life
                       ? WEFT_OK
                       : WEFT_NO_MEMORY;
        WEFT_SCHED_POINT_("segments.prepared");
        /* acq_rel: append */
        if (!weft_pair_replace_(&at->s->next, NULL, at->life, next, at->life,
                                memory_order_acq_rel)) {
            put_away(l, next);
            return WEFT_OK;
        }
        WEFT_SCHED_POINT_("segments.appended");
    }
    move_on(&l->tail, at, next);
    return WEFT_OK;
}

bool
weft_segments_end_list_(segments *l, const place *at)
{
    uint64_t life;
    segment *next = next_of(at, &life);

    if (life == (at->life | WEFT_SEGMENTS_CLOSED))
        return true;
    if (life != at->life)
        return false;
    if (next != NULL) {
        move_on(&l->tail, at, next);
        return false;
    }
    /* acq_rel: append */
    return weft_pair_replace_(&at->s->next, NULL, at->life, NULL,
                              at->life | WEFT_SEGMENTS_CLOSED,
                              memory_order_acq_rel);
}

enum weft_status
weft_segments_head_on_(segments *l, const place *at)
{
    uint64_t life;
    segment *next = next_of(at, &life);

    if (life == (at->life | WEFT_SEGMENTS_CLOSED))
        return WEFT_CLOSED;
    if (life != at->life)
        return WEFT_OK;
    if (next == NULL)
        return WEFT_EMPTY;
    /* The tail is here or beyond, so this leaves it beyond. */
    if (atomic_load_explicit(&l->tail.segment.stamp, memory_order_relaxed) ==
        at->life)
        move_on(&l->tail, at, next);
    /* acq_rel: segments.go_on */
    if (weft_pair_replace_(&l->head.segment, at->s, at->life, next,
                           at->life + 1, memory_order_acq_rel)) {
        WEFT_SCHED_POINT_("segments.retires");
        put_away(l, at->s);
    }
    return WEFT_OK;
}

bool
weft_segments_init_(segments *l, uint64_t first_life)
{
    struct weft_segments_end *const ends[] = {&l->tail, &l->head};
    segment *s = get_segment(l, first_life, NULL);

    if (s == NULL)
        return false;
    for (int i = 0; i < 2; i++) {
        atomic_init(&ends[i]->segment.item, s);
        atomic_init(&ends[i]->segment.stamp, first_life);
        atomic_init(&ends[i]->position, weft_segments_position_(first_life, 0));
    }
    return true;
}

void
weft_segments_fini_(segments *l)
{
    segment *s =
        atomic_load_explicit(&l->head.segment.item, memory_order_relaxed);

    while (s != NULL) {
        segment *next =
            atomic_load_explicit(&s->next.item, memory_order_relaxed);
        unmap(s);
        s = next;
    }
    while ((s = take_spare(l)) != NULL)
        unmap(s);
}
