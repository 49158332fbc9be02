/* SPDX-License-Identifier: MIT */
/*
 * shim_predict.c - what was predicted is told: by the checker, and by the thread
 * that ends the program.
 *
 * Names are looked up meanwhile, which takes some 50 ms: who ends the program
 * waits for the checker to have told what it began.
 *
 * Ordering.
 *
 *     telling      who told before       ->  who tells now
 *     order.found  a finding is written  ->  it is told
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <weft/deadline.h>

#include "base/deadline.h"
#include "base/writer.h"
#include "deadlock/report.h"
#include "deadlock/shim_confirm.h"
#include "deadlock/shim_order.h"
#include "deadlock/shim_suppress.h"

#define NAMES_MS    4000
#define PATIENCE_MS 10000

static _Atomic bool telling;
static _Atomic bool full_told;
static const struct weft_order_found *_Atomic last; /* that was told */
static struct weft_writer writer;

/* What comes after the last that was told; NULL: nothing. */
static const struct weft_order_found *
next_found(void)
{
    const struct weft_order_found *told =
        atomic_load_explicit(&last, memory_order_relaxed);

    if (weft_shim_order_ == NULL || weft_shim_confirming_)
        return NULL;
    if (told == NULL)
        return weft_order_first_(weft_shim_order_);
    /* acquire: order.found */
    return atomic_load_explicit(&told->next, memory_order_acquire);
}

/* Whether the graph is full, which is told once in a process. */
static bool
is_full_news(void)
{
    return weft_shim_order_ != NULL && weft_order_is_full_(weft_shim_order_) &&
           !atomic_load_explicit(&full_told, memory_order_relaxed);
}

bool
weft_shim_has_predicted_(void)
{
    return next_found() != NULL || is_full_news();
}

/* Shorten the places, which are the caller's copies. */
static void
shorten(struct weft_dl_thread *t, struct weft_dl_held *held,
        const struct weft_symbols *symbols)
{
    weft_shim_shorten_(&t->wait.place, symbols, true);
    for (uint32_t i = 0; i < t->held_count; i++)
        weft_shim_shorten_(&held[i].place, symbols, true);
}

/* Tell one, from a copy of it in `room`: the threads, then what they hold.
 * False: it is suppressed. */
static bool
tell_copy(const struct weft_order_found *f, struct weft_dl_thread *threads)
{
    struct weft_dl_picture p = {threads, f->picture.count};
    struct weft_dl_report r = {.picture = &p, .found = &f->found};
    struct weft_dl_held *held = (struct weft_dl_held *)(threads + p.count);

    memcpy(threads, f->picture.threads, p.count * sizeof(*threads));
    r.symbols = weft_symbols_create_(weft_dl_count_places_(&r));
    if (r.symbols != NULL) {
        weft_dl_add_places_(&r, r.symbols);
        weft_symbols_find_(r.symbols, weft_in_ms(NAMES_MS));
        weft_shim_plan_(&r);
    }
    for (uint32_t i = 0; i < p.count; i++) {
        memcpy(held, threads[i].held, threads[i].held_count * sizeof(*held));
        threads[i].held = held;
        if (r.symbols != NULL)
            shorten(&threads[i], held, r.symbols);
        held += threads[i].held_count;
    }
    const bool wanted = !weft_shim_suppresses_(&r);
    if (wanted)
        weft_shim_write_(&writer, &r);
    weft_symbols_destroy_(r.symbols);
    return wanted;
}

/* Whether somebody would wait for a semaphore that is no lock. */
static bool
is_void(const struct weft_order_found *f)
{
    for (uint32_t i = 0; i < f->picture.count; i++) {
        const struct weft_dl_wait *w = &f->picture.threads[i].wait;
        if (w->kind == WEFT_KIND_SEMAPHORE &&
            weft_shim_sem_was_none_(w->object))
            return true;
    }
    return false;
}

/* False: it is suppressed, or nothing. */
static bool
tell(const struct weft_order_found *f)
{
    size_t bytes = f->picture.count * sizeof(*f->picture.threads);

    if (is_void(f))
        return false;
    for (uint32_t i = 0; i < f->picture.count; i++)
        bytes += f->picture.threads[i].held_count * sizeof(struct weft_dl_held);
    struct weft_dl_thread *copy = weft_shim_map_(bytes);
    if (copy == NULL)
        return true;
    const bool wanted = tell_copy(f, copy);
    weft_shim_unmap_(copy, bytes);
    return wanted;
}

/* Be the one who tells; false: another does for long, or it is this thread, which
 * a signal has interrupted. */
static bool
begin_telling(void)
{
    const weft_deadline until = weft_in_ms(PATIENCE_MS);

    /* acquire: telling */
    while (atomic_exchange_explicit(&telling, true, memory_order_acquire)) {
        if (weft_clock_ns_() >= until)
            return false;
        sched_yield();
    }
    return true;
}

static void
tell_full(void)
{
    if (!is_full_news() ||
        atomic_exchange_explicit(&full_told, true, memory_order_relaxed) ||
        !weft_shim_begin_text_(&writer))
        return;
    if (weft_order_is_held_up_(weft_shim_order_))
        weft_writer_say_(&writer,
                         "weft-deadlock: a thread is stopped while it notes "
                         "the order of locks: no further ones are noted\n");
    else
        weft_writer_say_(&writer,
                         "weft-deadlock: %zu MiB of orders of locks are full: "
                         "no further ones are noted\n",
                         weft_order_bytes_(weft_shim_order_) >> 20);
    weft_shim_end_text_(&writer);
}

void
weft_shim_tell_predicted_(void)
{
    const int saved = errno;

    if (!weft_shim_has_predicted_() &&
        !atomic_load_explicit(&telling, memory_order_relaxed))
        return;
    int cancel;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    if (!begin_telling()) {
        pthread_setcancelstate(cancel, NULL);
        return;
    }
    for (const struct weft_order_found *f = next_found(); f != NULL;
         f = next_found()) {
        const bool wanted = tell(f);
        atomic_store_explicit(&last, f, memory_order_relaxed);
        if (wanted)
            atomic_store_explicit(&weft_shim_options_.found, true,
                                  memory_order_relaxed);
    }
    tell_full();
    pthread_setcancelstate(cancel, NULL);
    /* release: telling */
    atomic_store_explicit(&telling, false, memory_order_release);
    errno = saved;
}

void
weft_shim_predict_forked_(void)
{
    atomic_store_explicit(&last, NULL, memory_order_relaxed);
    atomic_store_explicit(&telling, false, memory_order_relaxed);
}
