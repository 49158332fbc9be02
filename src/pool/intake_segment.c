/* SPDX-License-Identifier: MIT */
/*
 * intake_segment.c - the list of segments of an intake.
 *
 * It is that of the fifo (container/fifo_segment.c), where the argument is, but
 * for two things: the position of the head, which is exact, moves on after its
 * segment; and a segment that serves again is cleaned by who appends it, with
 * its new life in every cell, while stopped threads may still look at it.
 *
 * Ordering.
 *
 *     append    a segment is linked    ->  who finds it by next
 *     store     a segment is put away  ->  who takes it
 *     intake.go_on     an end moves on            ->  who begins there
 *     intake.vacate    a take moves the position  ->  a take after it; who uses
 *                                                     the segment again
 */
#include "pool/intake_impl.h"

#include <sys/mman.h>

#include "base/sched.h"

#define FIRST_LIFE 1

uint64_t weft_intake_cells_ = WEFT_INTAKE_CELLS;

typedef struct weft_intake_segment segment;
typedef struct weft_intake_end end;

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

/* Only who takes `s` from the spares changes it from now on. */
static void
put_away(struct weft_intake *q, segment *s)
{
    for (unsigned i = 0; i < WEFT_INTAKE_SPARES; i++) {
        segment *none = NULL;
        if (atomic_load_explicit(&q->spares[i], memory_order_relaxed) != NULL)
            continue;
        /* release: store */
        if (atomic_compare_exchange_strong_explicit(&q->spares[i], &none, s,
                                                    memory_order_release,
                                                    memory_order_relaxed))
            return;
    }
    weft_reclaim_defer_(&s->retired, give_back);
}

static segment *
take_spare(struct weft_intake *q)
{
    segment *s = NULL;

    for (unsigned i = 0; i < WEFT_INTAKE_SPARES && s == NULL; i++)
        if (atomic_load_explicit(&q->spares[i], memory_order_relaxed) != NULL)
            /* acquire: store */
            s = atomic_exchange_explicit(&q->spares[i], NULL,
                                         memory_order_acquire);
    return s;
}

/* Make every cell free again.  The low half first: so no cell is ever free with
 * another life than the new one. */
static void
clean(segment *s, uint64_t life)
{
    for (uint64_t i = 0; i < weft_intake_cells_; i++) {
        atomic_store_explicit(&s->cells[i].item, (void *)(uintptr_t)life,
                              memory_order_relaxed);
        /* release: append */
        atomic_store_explicit(&s->cells[i].stamp, WEFT_INTAKE_FREE,
                              memory_order_release);
    }
}

/* A segment for `life`, not shared yet; NULL: no memory. */
static segment *
get_segment(struct weft_intake *q, uint64_t life)
{
    segment *s = take_spare(q);

    if (s != NULL) {
        clean(s, life);
    } else {
        s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (s == MAP_FAILED)
            return NULL;
    }
    /* As a whole, for an append that was stopped. */
    void *next = atomic_load_explicit(&s->next.item, memory_order_relaxed);
    uint64_t old = atomic_load_explicit(&s->next.stamp, memory_order_relaxed);
    (void)!weft_pair_replace_(&s->next, next, old, NULL, life,
                              memory_order_relaxed);
    return s;
}

struct weft_intake_place
weft_intake_look_(const end *e)
{
    struct weft_intake_place at = {.index = 0};
    /* acquire: intake.go_on */
    uint64_t again =
        atomic_load_explicit(&e->segment.stamp, memory_order_acquire);

    do {
        at.life = again;
        /* acquire: intake.go_on */
        at.s = atomic_load_explicit(&e->segment.item, memory_order_acquire);
        /* acquire: intake.go_on */
        again = atomic_load_explicit(&e->segment.stamp, memory_order_acquire);
    } while (again != at.life);
    return at;
}

static void
move_on(end *e, const struct weft_intake_place *at, segment *next)
{
    /* acq_rel: intake.go_on */
    (void)!weft_pair_replace_(&e->segment, at->s, at->life, next, at->life + 1,
                              memory_order_acq_rel);
}

/* What comes after `at`: its life is *life, which is that of `at` unless that is
 * not in the list any more, perhaps WEFT_INTAKE_ENDED. */
static segment *
next_of(const struct weft_intake_place *at, uint64_t *life)
{
    /* acquire: append */
    segment *next =
        atomic_load_explicit(&at->s->next.item, memory_order_acquire);

    /* acquire: append */
    *life = atomic_load_explicit(&at->s->next.stamp, memory_order_acquire);
    return next;
}

enum weft_status
weft_intake_tail_on_(struct weft_intake *q, const struct weft_intake_place *at)
{
    uint64_t life;
    segment *next = next_of(at, &life);

    if (life == (at->life | WEFT_INTAKE_ENDED))
        return WEFT_CLOSED;
    if (life != at->life)
        return WEFT_OK;
    if (next == NULL) {
        next = get_segment(q, at->life + 1);
        if (next == NULL)
            return next_of(at, &life) != NULL || life != at->life
                       ? WEFT_OK
                       : WEFT_NO_MEMORY;
        WEFT_SCHED_POINT_("pool.put.has_segment");
        /* acq_rel: append */
        if (!weft_pair_replace_(&at->s->next, NULL, at->life, next, at->life,
                                memory_order_acq_rel)) {
            put_away(q, next);
            return WEFT_OK;
        }
        WEFT_SCHED_POINT_("pool.put.appended");
    }
    move_on(&q->tail, at, next);
    return WEFT_OK;
}

bool
weft_intake_end_list_(struct weft_intake *q, const struct weft_intake_place *at)
{
    uint64_t life;
    segment *next = next_of(at, &life);

    if (life == (at->life | WEFT_INTAKE_ENDED))
        return true;
    if (life != at->life)
        return false;
    if (next != NULL) {
        move_on(&q->tail, at, next);
        return false;
    }
    /* acq_rel: append */
    return weft_pair_replace_(&at->s->next, NULL, at->life, NULL,
                              at->life | WEFT_INTAKE_ENDED,
                              memory_order_acq_rel);
}

enum weft_intake_found
weft_intake_head_on_(struct weft_intake *q, uint64_t p)
{
    const struct weft_intake_place at = weft_intake_look_(&q->head);
    WEFT_SCHED_POINT_("pool.take.has_oldest");
    uint64_t life;
    segment *next = next_of(&at, &life);

    if (at.life == weft_intake_life_(p) &&
        life == (at.life | WEFT_INTAKE_ENDED))
        return WEFT_INTAKE_NEVER;
    if (at.life == weft_intake_life_(p) && life == at.life) {
        if (next == NULL)
            return WEFT_INTAKE_NOTHING;
        /* The tail is here or beyond, so this leaves it beyond. */
        if (atomic_load_explicit(&q->tail.segment.stamp,
                                 memory_order_relaxed) == at.life)
            move_on(&q->tail, &at, next);
        /* acq_rel: intake.go_on */
        if (weft_pair_replace_(&q->head.segment, at.s, at.life, next,
                               at.life + 1, memory_order_acq_rel)) {
            WEFT_SCHED_POINT_("pool.take.retires");
            put_away(q, at.s);
        }
    }
    /* acq_rel: intake.vacate */
    (void)atomic_compare_exchange_strong_explicit(
        &q->head.position, &p,
        weft_intake_position_(weft_intake_life_(p) + 1, 0),
        memory_order_acq_rel, memory_order_relaxed);
    return WEFT_INTAKE_JOB;
}

enum weft_status
weft_intake_init_(struct weft_intake *q)
{
    segment *s = get_segment(q, FIRST_LIFE);

    if (s == NULL)
        return WEFT_NO_MEMORY;
    end *const ends[] = {&q->tail, &q->head};
    for (int i = 0; i < 2; i++) {
        atomic_init(&ends[i]->segment.item, s);
        atomic_init(&ends[i]->segment.stamp, FIRST_LIFE);
        atomic_init(&ends[i]->position, weft_intake_position_(FIRST_LIFE, 0));
    }
    return WEFT_OK;
}

void
weft_intake_fini_(struct weft_intake *q)
{
    segment *s =
        atomic_load_explicit(&q->head.segment.item, memory_order_relaxed);

    while (s != NULL) {
        segment *next =
            atomic_load_explicit(&s->next.item, memory_order_relaxed);
        unmap(s);
        s = next;
    }
    while ((s = take_spare(q)) != NULL)
        unmap(s);
}
