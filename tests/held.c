/* SPDX-License-Identifier: MIT */
/*
 * held.c - what a call has done is done by hand; the handler of a signal runs
 * until it is let go.
 */
#include "held.h"

#include <sched.h>
#include <signal.h>

#include "base/deadline.h"
#include "sleepers.h"

static struct stopped
stop_in_ring(struct weft_queue_fast *q, unsigned side, size_t n)
{
    weft_ring *r = q->ring;
    _Atomic uint64_t *counter = side == PUSH ? &r->tail : &r->head;
    const uint64_t p = atomic_load_explicit(counter, memory_order_relaxed);
    const uint64_t lap = weft_ring_lap_(r, p);

    atomic_store_explicit(counter, weft_ring_advance_(r, p, 1),
                          memory_order_relaxed);
    return (struct stopped){q, &r->cells[weft_ring_index_(r, p)], lap | 1,
                            lap + r->one_lap, item(n)};
}

static struct stopped
stop_in_fifo(struct weft_queue_fast *q, size_t n)
{
    const struct weft_segments_place at =
        weft_segments_look_(&q->fifo->list.tail);
    const uint64_t p = atomic_fetch_add_explicit(&q->fifo->list.tail.position,
                                                 1, memory_order_relaxed);

    return (struct stopped){q, &at.s->cells[weft_segments_index_(p)],
                            2 * at.life, 0, item(n)};
}

struct stopped
stop_after_claim(struct weft_queue_fast *q, unsigned side, size_t n)
{
    return q->fifo != NULL ? stop_in_fifo(q, n) : stop_in_ring(q, side, n);
}

void
fill_cell(struct stopped *s)
{
    atomic_store_explicit(&s->cell->item, s->item, memory_order_relaxed);
    atomic_store_explicit(&s->cell->stamp, s->filled, memory_order_release);
}

enum weft_status
go_on(struct stopped *s, unsigned side)
{
    if (side == PUSH) {
        fill_cell(s);
        return weft_bell_is_heard_(&s->q->items) ? weft_queue_told_put_(s->q, 1)
                                                 : WEFT_OK;
    }
    s->item = atomic_load_explicit(&s->cell->item, memory_order_relaxed);
    atomic_store_explicit(&s->cell->stamp, s->taken, memory_order_release);
    return weft_bell_is_heard_(&s->q->room)
               ? weft_queue_told_get_(s->q, &s->item, 1)
               : WEFT_OK;
}

static atomic_uint held;
static atomic_bool is_held;

static void
hold(int signal)
{
    (void)signal;
    atomic_fetch_add_explicit(&held, 1, memory_order_relaxed);
    while (atomic_load_explicit(&is_held, memory_order_relaxed)) {
    }
}

static void
begin_holding(void)
{
    const struct sigaction action = {.sa_handler = hold};

    must(sigaction(SIGUSR1, &action, NULL) == 0);
    atomic_store_explicit(&held, 0, memory_order_relaxed);
    atomic_store_explicit(&is_held, true, memory_order_relaxed);
}

void
hold_all(struct call *calls, unsigned n)
{
    begin_holding();
    for (unsigned k = 0; k < n; k++)
        must(pthread_kill(calls[k].thread, SIGUSR1) == 0);
    while (atomic_load_explicit(&held, memory_order_relaxed) != n)
        sched_yield();
}

void
let_go(void)
{
    atomic_store_explicit(&is_held, false, memory_order_relaxed);
}

/* On a busy machine it may be over before it is held: then again, longer. */
weft_deadline
start_held(struct call *get, struct weft_queue_fast *q)
{
    for (unsigned ms = 20;; ms *= 2) {
        const weft_deadline end = weft_in_ms(ms);
        begin_holding();
        start_get(get, &q->base, end);
        while (sleepers(&q->items.wakes) != 1 && weft_clock_ns_() < end)
            sched_yield();
        must(pthread_kill(get->thread, SIGUSR1) == 0);
        while (atomic_load_explicit(&held, memory_order_relaxed) != 1 &&
               weft_clock_ns_() < end)
            sched_yield();
        if (atomic_load_explicit(&held, memory_order_relaxed) == 1 &&
            weft_bell_is_heard_(&q->items))
            return end;
        let_go();
        const enum weft_status s = end_of(get);
        must(s == WEFT_TIMEOUT || s == WEFT_EMPTY); /* it began too late */
    }
}
