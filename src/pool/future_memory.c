/* SPDX-License-Identifier: MIT */
/*
 * future_memory.c - the memory of futures, which one thread takes and another
 * one gives back.
 *
 * malloc is slow at just that: what a thread frees goes into its own cache or,
 * when that is full, under a lock that the other one takes for each.  Here a
 * block goes back as one of a batch:
 *
 *     thread    now      the blocks that are taken and given, up to a batch
 *               other    a batch or nothing: a thread that goes to and fro over
 *                        the edge of a batch keeps to its own
 *               reserve  batches that it has taken off `common`
 *     process   common   {batches, how many}
 *
 *     take      now -> other -> reserve -> `common` -> malloc
 *     give      now -> other -> `common`, or free where that is full
 *
 * A batch is put on `common` by a compare-and-swap, and what is there is taken
 * off as a whole: so nobody looks into a batch that is not his, and that `common`
 * may be what it was and yet be another one (ABA) does not matter to either.  Who
 * has taken more than RESERVE batches puts the others back.
 * (Bonwick & Adams, Magazines and Vmem, USENIX 2001, exchange magazines with a
 * depot under a lock.)
 *
 * What a thread has is freed when it ends, and what is common with each pool.  A
 * forked child has what was common and its own thread's.  Under AddressSanitizer
 * every future is malloc's, so that it sees who uses one that is gone.
 *
 * Ordering.
 *
 *     pass_on    a batch is put on `common`  ->  who takes it
 */
#include "pool/future_impl.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/asan.h"
#include "base/cacheline.h"
#include "base/pair.h"

#define BATCH   32 /* [blocks] */
#define RESERVE 4  /* [batches] */

#ifdef WEFT_ASAN
#define KEEPS false
#else
#define KEEPS true
#endif

struct block {
    struct block *next;  /* in its batch */
    struct block *below; /* of the first of a batch: the next batch */
};

_Static_assert(sizeof(struct block) <= sizeof(weft_future), "a block has room");

struct own {
    struct block *now;
    struct block *other;
    struct block *reserve;
    unsigned count; /* of `now` */
    bool is_known;  /* its end will be told */
};

static __thread struct own own __attribute__((tls_model("initial-exec")));
static pthread_key_t key;
static bool key_is_there;

static _Alignas(WEFT_CACHE_PAIR) struct weft_pair common;
unsigned weft_future_batches_most_ = 1024; /* 2 MiB */

/* --- common ---------------------------------------------------------------- */

static struct block *
take_common(uint64_t *count)
{
    for (;;) {
        struct block *b =
            atomic_load_explicit(&common.item, memory_order_relaxed);
        const uint64_t n =
            atomic_load_explicit(&common.stamp, memory_order_relaxed);
        *count = n;
        if (b == NULL && n == 0)
            return NULL;
        /* acq_rel: pass_on */
        if (weft_pair_replace_(&common, b, n, NULL, 0, memory_order_acq_rel))
            return b;
    }
}

/* Put `more` batches, of which `b` is the first and `last` the last; false: there
 * are enough. */
static bool
put_common(struct block *b, struct block *last, uint64_t more)
{
    for (;;) {
        struct block *top =
            atomic_load_explicit(&common.item, memory_order_relaxed);
        const uint64_t n =
            atomic_load_explicit(&common.stamp, memory_order_relaxed);
        if (n + more > weft_future_batches_most_)
            return false;
        last->below = top;
        /* acq_rel: pass_on */
        if (weft_pair_replace_(&common, top, n, b, n + more,
                               memory_order_acq_rel))
            return true;
    }
}

static void
free_batch(struct block *b)
{
    while (b != NULL) {
        struct block *next = b->next;
        free(b);
        b = next;
    }
}

static void
free_batches(struct block *b)
{
    while (b != NULL) {
        struct block *below = b->below;
        free_batch(b);
        b = below;
    }
}

/* --- the thread's own -------------------------------------------------------- */

void
weft_future_leave_(void)
{
    const struct own had = own;

    own = (struct own){.is_known = had.is_known};
    free_batch(had.now);
    free_batch(had.other);
    free_batches(had.reserve);
}

void
weft_future_trim_(void)
{
    uint64_t count;

    weft_future_leave_();
    free_batches(take_common(&count));
}

static void
at_thread_end(void *unused)
{
    (void)unused;
    own.is_known = false;
    weft_future_leave_();
}

/* Have its end told; false: nothing is to be kept. */
static bool
make_known(void)
{
    own.is_known = KEEPS && key_is_there && pthread_setspecific(key, &own) == 0;
    return own.is_known;
}

/* Up to RESERVE batches of what is common. */
static struct block *
take_some(void)
{
    uint64_t count;
    struct block *first = take_common(&count);
    struct block *last = first;

    if (count <= RESERVE)
        return first;
    for (unsigned i = 1; i < RESERVE; i++)
        last = last->below;
    struct block *rest = last->below;
    last->below = NULL;
    last = rest;
    while (last->below != NULL)
        last = last->below;
    if (!put_common(rest, last, count - RESERVE))
        free_batches(rest);
    return first;
}

static __attribute__((noinline)) void *
take_slowly(void)
{
    if (own.other != NULL) {
        own.now = own.other;
        own.other = NULL;
    } else {
        if (own.reserve == NULL && make_known())
            own.reserve = take_some();
        if (own.reserve == NULL)
            return malloc(sizeof(weft_future));
        own.now = own.reserve;
        own.reserve = own.now->below;
    }
    struct block *b = own.now;
    own.now = b->next;
    own.count = BATCH - 1;
    return b;
}

static __attribute__((noinline)) void
give_slowly(struct block *b)
{
    if (!own.is_known && !make_known()) {
        free(b);
        return;
    }
    if (own.count == BATCH) {
        if (own.other != NULL && !put_common(own.other, own.other, 1))
            free_batch(own.other);
        own.other = own.now;
        own.now = NULL;
        own.count = 0;
    }
    b->next = own.now;
    own.now = b;
    own.count++;
}

void *
weft_future_take_(void)
{
    struct block *b = own.now;

    if (b == NULL)
        return take_slowly();
    own.now = b->next;
    own.count--;
    return b;
}

void
weft_future_give_(void *block)
{
    struct block *b = block;

    if (own.count == BATCH || !own.is_known) {
        give_slowly(b);
        return;
    }
    b->next = own.now;
    own.now = b;
    own.count++;
}

__attribute__((constructor)) static void
begin(void)
{
    key_is_there = pthread_key_create(&key, at_thread_end) == 0;
}
