/* SPDX-License-Identifier: MIT */
/*
 * soak_broken_containers.c - rings that are right but for one thing, and one
 * that nothing protects.
 */
#include <weft/ring.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/asan.h"
#include "base/park.h"
#include "soak/containers.h"
#include "soak_broken.h"
#include "soak_broken_queues.h"

#define SELDOM 300

enum defect {
    NONE,
    LOSES_PUSHED,
    PUSHES_TWICE,
    PUSHES_NULL,
    SAYS_NONSENSE,
    PUSHES_TO_THE_CANCELLED,
    HOLDS_LESS,
    HOLDS_MORE,
    IS_STUCK,
    TURNS_BATCHES_ROUND,
    LOSES_POPPED,
    POPS_TWICE,
    MAKES_ONE_UP,
    GIVES_TOO_EARLY,
    WRITES_THOUGH_EMPTY,
    IS_BUSY,
    POPS_BATCHES_ROUND,
    WRITES_BEHIND_BATCH,
    COUNTS_TOO_MANY,
    COUNTS_ABOVE_CAPACITY,
    FORGETS_AT_THE_END,
    LEAVES_BACKWARDS
};

struct ring {
    weft_ring *real;
    size_t capacity;
    enum defect defect;
    _Atomic unsigned calls;
    _Atomic(void *) last; /* that came out */
};

/* Whether it is the time to be wrong in this way. */
static bool
now(struct ring *r, enum defect defect)
{
    return r->defect == defect &&
           atomic_fetch_add_explicit(&r->calls, 1, memory_order_relaxed) %
                   SELDOM ==
               SELDOM - 1;
}

static enum weft_status
create(void **out, size_t capacity, int kind)
{
    struct ring *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return WEFT_NO_MEMORY;
    r->defect = (enum defect)kind;
    r->capacity = capacity;
    *out = r;
    return weft_ring_create(&r->real, capacity + (r->defect == HOLDS_MORE),
                            WEFT_MUTEX);
}

static void
destroy(void *c, void (*drop)(void *item, void *ctx), void *ctx)
{
    struct ring *r = c;
    void *items[2];

    while (r->defect == LEAVES_BACKWARDS) {
        const size_t n = weft_ring_pop_n(r->real, items, 2);
        for (size_t i = n; i > 0; i--)
            drop(items[i - 1], ctx);
        if (n == 0)
            break;
    }
    weft_ring_destroy_with(r->real,
                           r->defect == FORGETS_AT_THE_END ? NULL : drop, ctx);
    free(r);
}

static void
forget_frames(void *unused)
{
    (void)unused;
    weft_asan_forget_frames_();
}

static WEFT_LEFT_WHEN_CANCELLED_ void
end_if_cancelled(void)
{
    pthread_cleanup_push(forget_frames, NULL);
    pthread_testcancel();
    pthread_cleanup_pop(0);
}

static enum weft_status
push(void *c, void *item)
{
    struct ring *r = c;

    if (now(r, LOSES_PUSHED))
        return WEFT_OK;
    if (now(r, SAYS_NONSENSE))
        return WEFT_CLOSED;
    if (r->defect == HOLDS_LESS && weft_ring_size(r->real) + 1 >= r->capacity)
        return WEFT_FULL;
    while (now(r, IS_STUCK))
        for (;;)
            usleep(1000);
    if (now(r, PUSHES_TWICE) && weft_ring_push(r->real, item) != WEFT_OK)
        return WEFT_FULL;
    const enum weft_status status =
        weft_ring_push(r->real, now(r, PUSHES_NULL) ? NULL : item);
    if (r->defect == PUSHES_TO_THE_CANCELLED && status == WEFT_OK)
        end_if_cancelled();
    return status;
}

static size_t
push_n(void *c, void *const *items, size_t n)
{
    struct ring *r = c;

    if (r->defect != TURNS_BATCHES_ROUND || n != 2 ||
        weft_ring_size(r->real) + n > r->capacity)
        return weft_ring_push_n(r->real, items, n);
    void *const turned[] = {items[1], items[0]};
    return weft_ring_push_n(r->real, turned, n);
}

static enum weft_status
pop(void *c, void **item)
{
    struct ring *r = c;
    void *got = *item;

    if (now(r, IS_BUSY))
        return WEFT_BUSY;
    if (now(r, LOSES_POPPED) && weft_ring_pop(r->real, &got) != WEFT_OK)
        return WEFT_EMPTY;
    if (r->defect == POPS_TWICE) {
        void *last = atomic_load_explicit(&r->last, memory_order_relaxed);
        if (last != NULL && now(r, POPS_TWICE)) {
            *item = last;
            return WEFT_OK;
        }
    }
    const enum weft_status status = weft_ring_pop(r->real, &got);
    if (status == WEFT_OK || r->defect == WRITES_THOUGH_EMPTY)
        *item = got;
    if (status != WEFT_OK)
        return status;
    atomic_store_explicit(&r->last, got, memory_order_relaxed);
    if (now(r, MAKES_ONE_UP))
        *item = (void *)(uintptr_t)0x12345;
    if (got != NULL && now(r, GIVES_TOO_EARLY))
        *item = (char *)got + (1 << 30);
    return status;
}

static enum weft_status
pop_and_write(void *c, void **item)
{
    const enum weft_status status = pop(c, item);

    if (status == WEFT_EMPTY)
        *item = NULL;
    return status;
}

static size_t
pop_n(void *c, void **items, size_t n)
{
    struct ring *r = c;
    const size_t done = weft_ring_pop_n(r->real, items, n);

    if (r->defect == POPS_BATCHES_ROUND && done >= 2) {
        void *first = items[0];
        items[0] = items[1];
        items[1] = first;
    }
    if (r->defect == WRITES_BEHIND_BATCH && done < n)
        items[done] = NULL;
    return done;
}

static size_t
size(const void *c)
{
    const struct ring *r = c;
    const size_t size = weft_ring_size(r->real);

    if (r->defect == COUNTS_ABOVE_CAPACITY)
        return size == r->capacity ? size + 1 : size;
    return size + (r->defect == COUNTS_TOO_MANY && size < r->capacity);
}

#define LIKE(pop_, order_)                                           \
    .create = create, .destroy = destroy, .push = push, .pop = pop_, \
    .push_n = push_n, .pop_n = pop_n, .size = size, .order = order_, \
    .bounded = true
#define BROKEN(name, defect_)                                            \
    static const struct soak_container_ops name = {LIKE(pop, SOAK_FIFO), \
                                                   .kind = defect_}

BROKEN(loses_pushed, LOSES_PUSHED);
BROKEN(pushes_twice, PUSHES_TWICE);
BROKEN(pushes_null, PUSHES_NULL);
BROKEN(says_nonsense, SAYS_NONSENSE);
BROKEN(pushes_to_the_cancelled, PUSHES_TO_THE_CANCELLED);
BROKEN(holds_less, HOLDS_LESS);
BROKEN(holds_more, HOLDS_MORE);
BROKEN(is_stuck, IS_STUCK);
BROKEN(turns_batches_round, TURNS_BATCHES_ROUND);
BROKEN(loses_popped, LOSES_POPPED);
BROKEN(pops_twice, POPS_TWICE);
BROKEN(makes_one_up, MAKES_ONE_UP);
BROKEN(gives_too_early, GIVES_TOO_EARLY);
BROKEN(is_busy, IS_BUSY);
BROKEN(pops_batches_round, POPS_BATCHES_ROUND);
BROKEN(writes_behind_batch, WRITES_BEHIND_BATCH);
BROKEN(counts_too_many, COUNTS_TOO_MANY);
BROKEN(counts_above_capacity, COUNTS_ABOVE_CAPACITY);
BROKEN(forgets_at_the_end, FORGETS_AT_THE_END);
BROKEN(leaves_backwards, LEAVES_BACKWARDS);
static const struct soak_container_ops writes_though_empty = {
    LIKE(pop_and_write, SOAK_FIFO)};
static const struct soak_container_ops no_stack = {LIKE(pop, SOAK_LIFO)};
static const struct soak_container_ops no_heap = {LIKE(pop, SOAK_SORTED)};

/* --- a ring that nothing protects ----------------------------------------- */

struct bare {
    size_t capacity;
    _Atomic uint64_t tail;
    _Atomic uint64_t head;
    _Atomic(void *) items[];
};

static enum weft_status
bare_create(void **out, size_t capacity, int kind)
{
    struct bare *b = calloc(1, sizeof(*b) + capacity * sizeof(b->items[0]));

    (void)kind;
    if (b == NULL)
        return WEFT_NO_MEMORY;
    b->capacity = capacity;
    *out = b;
    return WEFT_OK;
}

static enum weft_status
bare_push(void *c, void *item)
{
    struct bare *b = c;
    const uint64_t tail = atomic_load_explicit(&b->tail, memory_order_relaxed);

    if (tail - atomic_load_explicit(&b->head, memory_order_relaxed) >=
        b->capacity)
        return WEFT_FULL;
    atomic_store_explicit(&b->items[tail % b->capacity], item,
                          memory_order_relaxed);
    if (tail % SELDOM == 0)
        sched_yield();
    atomic_store_explicit(&b->tail, tail + 1, memory_order_relaxed);
    return WEFT_OK;
}

static enum weft_status
bare_pop(void *c, void **item)
{
    struct bare *b = c;
    const uint64_t head = atomic_load_explicit(&b->head, memory_order_relaxed);

    if (head == atomic_load_explicit(&b->tail, memory_order_relaxed))
        return WEFT_EMPTY;
    *item = atomic_load_explicit(&b->items[head % b->capacity],
                                 memory_order_relaxed);
    if (head % SELDOM == 1)
        sched_yield();
    atomic_store_explicit(&b->head, head + 1, memory_order_relaxed);
    return WEFT_OK;
}

static void
bare_destroy(void *c, void (*drop)(void *item, void *ctx), void *ctx)
{
    void *item;

    while (bare_pop(c, &item) == WEFT_OK)
        drop(item, ctx);
    free(c);
}

static const struct soak_container_ops bare = {.create = bare_create,
                                               .destroy = bare_destroy,
                                               .push = bare_push,
                                               .pop = bare_pop,
                                               .bounded = true,
                                               .order = SOAK_FIFO};

/* --- what the soak is to say --------------------------------------------- */

#define WRONG_SUM "more came out|after item|are lost|at rest its size"

extern const struct soak_subject soak_queue_fifo_mutex_bounded;
extern const struct soak_subject soak_ring_mutex;

const struct broken broken[] = {
    {&soak_ring_mutex, &loses_pushed, "loses what is pushed",
     "at rest its size|are lost|full with", 0},
    {&soak_ring_mutex, &loses_popped, "loses what is popped",
     "at rest its size|are lost|full with", 0},
    {&soak_ring_mutex, &pushes_twice, "pushes twice", WRONG_SUM, 0},
    {&soak_ring_mutex, &pops_twice, "pops twice", "after item|more came out",
     0},
    {&soak_ring_mutex, &pushes_null, "pushes NULL instead", "not what went in",
     0},
    {&soak_ring_mutex, &says_nonsense, "answers what it must not",
     "push returned WEFT_CLOSED", 0},
    {&soak_ring_mutex, &is_busy, "says it is busy", "pop returned WEFT_BUSY",
     0},
    {&soak_ring_mutex, &pushes_to_the_cancelled,
     "has what the cancelled did not push", WRONG_SUM, 0},
    {&soak_ring_mutex, &holds_less, "holds one less", "it is full with", 0},
    {&soak_ring_mutex, &holds_more, "holds one more",
     "it is full with|above its capacity", 0},
    {&soak_ring_mutex, &is_stuck, "is stuck", "has made no turn", 0},
    {&soak_ring_mutex, &turns_batches_round, "turns batches round",
     "after item", 0},
    {&soak_ring_mutex, &pops_batches_round, "pops batches backwards",
     "after item", 0},
    {&soak_ring_mutex, &makes_one_up, "makes an item up", "has not gone in", 0},
    {&soak_ring_mutex, &gives_too_early, "gives what is not there yet",
     "has not gone in", 0},
    {&soak_ring_mutex, &writes_though_empty, "writes though it is empty",
     "and wrote an item", 0},
    {&soak_ring_mutex, &writes_behind_batch, "writes behind a batch",
     "and wrote more", 0},
    {&soak_ring_mutex, &counts_too_many, "counts one too many",
     "at rest its size", 0},
    {&soak_ring_mutex, &counts_above_capacity, "counts above its capacity",
     "above its capacity|at rest its size", 0},
    {&soak_ring_mutex, &forgets_at_the_end, "forgets what is left at the end",
     "are lost", 0},
    {&soak_ring_mutex, &leaves_backwards, "is left backwards", "after item", 0},
    {&soak_ring_mutex, &no_stack, "is no stack", "after item", 0},
    {&soak_ring_mutex, &no_heap, "is no heap", "after key", 0},
    {&soak_ring_mutex, &bare, "nothing protects",
     "after item|are lost|more came out|not what went in|full with", 0},
    {&soak_queue_fifo_mutex_bounded, &queue_stays_open, "is not closed",
     "close went wrong", 0},
    {&soak_queue_fifo_mutex_bounded, &queue_forgets_dropped,
     "forgets what it drops", "are lost|at rest its size", 0},
    {&soak_queue_fifo_mutex_bounded, &queue_drains_nothing,
     "drops what is to be drained", "was dropped by a close", 0},
    {&soak_queue_fifo_mutex_bounded, &queue_takes_when_closed,
     "takes what comes too late", "are lost|at rest its size", 0},
    {&soak_queue_fifo_mutex_bounded, &queue_never_done, "does not mark as done",
     "what is unfinished", 0},
    {&soak_queue_fifo_mutex_bounded, &queue_says_closed, "says it is closed",
     "pop returned WEFT_CLOSED|returned nothing", 0},
    {&soak_queue_fifo_mutex_bounded, &queue_is_deaf,
     "does not hear of the close", "has made no turn", 0},
    {&soak_queue_fifo_mutex_bounded, &queue_has_no_patience,
     "does not wait for ever", "returned nothing", 0},
    {&soak_queue_fifo_mutex_bounded, &queue_loses_with_the_cancelled,
     "loses an item with the cancelled", "are lost|at rest its size", 0},
    {&soak_queue_fifo_mutex_bounded, &queue_waits_wrongly,
     "answers a wait wrongly", "wait_any returned WEFT_EMPTY", 0},
    {&soak_queue_fifo_mutex_bounded, &queue_waits_too_short, "does not wait",
     " before its deadline", 0},
};
const size_t broken_count = sizeof(broken) / sizeof(broken[0]);
