/* SPDX-License-Identifier: MIT */
/*
 * map_iter.c - a window over items: a line of futures, oldest first.
 *
 *     head          head + count       head + window
 *      |  in flight, or done  |   room    |
 *
 * The reader waits for the oldest, takes its result, and only then is there
 * room, which it fills at once.  Nobody else touches the iterator: workers have
 * the item and the future.  So nothing is locked, and it may be destroyed while
 * tasks run.
 *
 * An item that `next` brought and the pool did not take is `spare`: it is tried
 * again at the next read.  A submit waits for room in the pool's queue only if
 * nothing is in flight, else the reader would sleep although there is something
 * to read.
 *
 * Who drops an item: the iterator, when the future of it ended without having
 * run, whoever ended it.  The pool is told to leave such arguments alone.
 *
 * Ordering.  The futures order all.
 */
#include <weft/parallel.h>

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "pool/future_impl.h"
#include "pool/worker.h"

struct flight {
    weft_future *future;
    void *item;
};

struct weft_map_iter {
    weft_pool *pool;
    weft_fn *fn;
    bool (*next)(void *ctx, void **item);
    void (*drop)(void *item, void *ctx);
    void *ctx;
    weft_deadline deadline;
    weft_future *failed;      /* the one of the error */
    enum weft_status refused; /* why the pool did not take the spare one */
    bool at_end;              /* `next` is not to be asked any more */
    bool has_spare;
    void *spare;
    size_t window;
    size_t head;
    size_t count;
    struct flight flights[];
};

static void
drop(struct weft_map_iter *it, void *item)
{
    if (it->drop != NULL)
        it->drop(item, it->ctx);
}

/* The pool takes the spare item; false: not now, or `refused` says why never. */
static bool
launch(struct weft_map_iter *it)
{
    struct flight *f = &it->flights[(it->head + it->count) % it->window];
    const weft_deadline until = it->count == 0 ? it->deadline : WEFT_NOW;
    weft_future *future;
    const enum weft_status s =
        weft_pool_submit_kept_(it->pool, it->fn, it->spare, until, &future);

    if (s == WEFT_OK) {
        *f = (struct flight){future, it->spare};
        it->has_spare = false;
        it->count++;
        return true;
    }
    if (s != WEFT_TIMEOUT)
        it->refused = s;
    return false;
}

/* Fill the window. */
static void
fill(struct weft_map_iter *it)
{
    while (it->count < it->window && it->refused == WEFT_OK) {
        if (!it->has_spare) {
            if (it->at_end)
                return;
            it->has_spare = it->next(it->ctx, &it->spare);
            it->at_end = !it->has_spare;
        }
        if (it->has_spare && !launch(it))
            return;
    }
}

/* Take the oldest out; its future is the caller's. */
static struct flight
land(struct weft_map_iter *it)
{
    const struct flight f = it->flights[it->head];

    it->head = (it->head + 1) % it->window;
    it->count--;
    return f;
}

/* Drop what has not begun, and end. */
static void
give_up(struct weft_map_iter *it)
{
    /* All of them first: while one is dropped no other begins. */
    for (size_t i = 0; i < it->count; i++)
        weft_future_cancel(it->flights[(it->head + i) % it->window].future);
    while (it->count != 0) {
        const struct flight f = land(it);
        const enum weft_status s = weft_future_peek_(f.future);
        if (s == WEFT_CANCELLED || s == WEFT_BROKEN)
            drop(it, f.item);
        weft_future_release(f.future);
    }
    if (it->has_spare)
        drop(it, it->spare);
    it->has_spare = false;
    it->at_end = true;
    it->refused = WEFT_OK;
}

enum weft_status
weft_map_iter_create(weft_map_iter **out, weft_pool *p, weft_fn *fn,
                     bool (*next)(void *ctx, void **item),
                     void (*drop_fn)(void *item, void *ctx), void *ctx,
                     size_t window, weft_deadline deadline)
{
    struct weft_map_iter *it;

    if (out == NULL || fn == NULL || next == NULL)
        return WEFT_INVALID;
    if (window == 0)
        window = 2 * (size_t)weft_pool_workers(p);
    if (window > (SIZE_MAX - sizeof(*it)) / sizeof(it->flights[0]))
        return WEFT_NO_MEMORY;
    it = malloc(sizeof(*it) + window * sizeof(it->flights[0]));
    if (it == NULL)
        return WEFT_NO_MEMORY;
    *it = (struct weft_map_iter){.pool = p,
                                 .fn = fn,
                                 .next = next,
                                 .drop = drop_fn,
                                 .ctx = ctx,
                                 .deadline = deadline,
                                 .window = window};
    fill(it);
    *out = it;
    return WEFT_OK;
}

/* Nothing is in flight: say why. */
static enum weft_status
end(struct weft_map_iter *it)
{
    const enum weft_status why = it->refused;

    if (why == WEFT_OK)
        return it->has_spare ? WEFT_TIMEOUT : WEFT_CLOSED;
    give_up(it);
    return why == WEFT_CLOSED ? WEFT_CANCELLED : why;
}

enum weft_status
weft_map_iter_next(weft_map_iter *it, void **result)
{
    fill(it);
    if (it->count == 0)
        return end(it);
    const enum weft_status s =
        weft_future_result(it->flights[it->head].future, it->deadline, result);
    if (s == WEFT_TIMEOUT || s == WEFT_DEADLOCK || s == WEFT_CLOSED)
        return s;
    if (s == WEFT_OK) {
        weft_future_release(land(it).future);
        fill(it);
        return s;
    }
    if (s == WEFT_FAILED)
        it->failed = land(it).future;
    give_up(it);
    return s;
}

const weft_error *
weft_map_iter_error(const weft_map_iter *it)
{
    const weft_error *error = NULL;

    if (it->failed != NULL)
        (void)!weft_future_error(it->failed, WEFT_NOW, &error);
    return error;
}

void
weft_map_iter_destroy(weft_map_iter *it)
{
    if (it == NULL)
        return;
    give_up(it);
    weft_future_release(it->failed);
    free(it);
}
