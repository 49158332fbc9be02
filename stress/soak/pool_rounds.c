/* SPDX-License-Identifier: MIT */
/*
 * pool_rounds.c - a pool is made, used, ended and judged, round after round.
 */
#include "soak/pool.h"

#include <malloc.h>
#include <unistd.h>

#include "bench/sanitized.h"

#define LOOK_US     100
#define WARM_ROUNDS 16
/* What threads keep for the next time grows for hundreds of rounds [bytes]. */
#define SLACK       (1u << 21)
#define LITTLE_ROOM 16
#define LAST_MS     1000

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED (SANITIZED_THREADS || __has_feature(address_sanitizer))
#else
#define SANITIZED SANITIZED_THREADS
#endif

/* Of the heap; 0: not to be had, or not worth anything. */
static size_t
bytes_in_use(void)
{
#if !SANITIZED && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 33)
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
#endif
#endif
    return 0;
}

bool
soak_sees_memory(void)
{
    return bytes_in_use() > 0;
}

/* --- the end of a round --------------------------------------------------- */

static unsigned
used_items(const struct soak_pool_case *s)
{
    const unsigned used = atomic_load_explicit(&s->used, memory_order_relaxed);

    return used < SOAK_ITEMS ? used : SOAK_ITEMS;
}

static void
shut_down(struct soak_hand *h, struct soak_pool_case *s)
{
    const enum weft_shutdown how =
        soak_one_in(h, 2) ? WEFT_FINISH : WEFT_CANCEL_PENDING;
    enum weft_status status = WEFT_TIMEOUT;
    weft_pool_stats stats;

    soak_at(h, "weft_pool_shutdown");
    while (status == WEFT_TIMEOUT && !soak_has_failed(h)) {
        const weft_deadline deadline = soak_deadline(h);
        status = weft_pool_shutdown(s->pool, how, deadline);
        if (status == WEFT_TIMEOUT)
            soak_timed_out(h, deadline);
        else if (status != WEFT_OK)
            soak_fault(h->run, "shutdown returned %s",
                       weft_status_name(status));
    }
    weft_pool_get_stats(s->pool, &stats);
    if (stats.pending != 0 && !soak_has_failed(h))
        soak_fault(h->run, "shut down, %zu tasks are pending", stats.pending);
}

/* The pool was left to itself: until all is over, also the last callback. */
static void
await_all(struct soak_hand *h, struct soak_pool_case *s)
{
    soak_at(h, "the end of a pool that was released");
    while (!soak_all_are_over(s) && !soak_has_failed(h))
        usleep(LOOK_US);
    for (unsigned k = 0; k < used_items(s); k++)
        while (!soak_item_is_over(&s->items[k]) && !soak_has_failed(h))
            usleep(LOOK_US);
}

static void
end_pool(struct soak_hand *h, struct soak_pool_case *s)
{
    const unsigned draw = soak_below(h, 4);

    s->left = draw == 0;
    if (s->left) {
        weft_pool_release(s->pool);
        await_all(h, s);
    } else if (draw > 1) {
        shut_down(h, s);
    }
    if (soak_has_failed(h))
        return;
    if (!s->left) {
        soak_at(h, "weft_pool_destroy");
        weft_pool_destroy(s->pool);
    }
    s->left = false;
    s->pool = NULL;
}

static void
judge_memory(struct soak_hand *h, struct soak_pool_case *s)
{
    const size_t bytes = bytes_in_use();

    if (s->round == WARM_ROUNDS)
        s->memory = bytes;
    else if (s->round > WARM_ROUNDS && bytes > s->memory + SLACK)
        soak_fault(h->run, "after round %llu %zu bytes are in use, %zu before",
                   (unsigned long long)s->round, bytes, s->memory);
}

static void
judge(struct soak_hand *h, struct soak_pool_case *s)
{
    if (s->pool == NULL)
        return;
    end_pool(h, s);
    for (unsigned k = 0; k < used_items(s) && !soak_has_failed(h); k++)
        soak_judge_item(h, &s->items[k]);
    h->tally[SOAK_FORKED] =
        atomic_load_explicit(&s->forks, memory_order_relaxed);
    judge_memory(h, s);
}

/* --- a round -------------------------------------------------------------- */

static void
make_pool(struct soak_hand *h, struct soak_pool_case *s)
{
    const struct soak_pool_ops *ops = soak_pool_ops_of(h->run);
    const weft_pool_options options = {
        .workers = ops->workers,
        .impl = ops->impl,
        .max_pending = soak_one_in(h, 2) ? 1 + soak_below(h, LITTLE_ROOM) : 0,
        .drop = soak_drop_item,
        .ctx = s,
    };

    s->round++;
    s->shutdown_turn = soak_below(h, 3 * SOAK_TURNS);
    atomic_store_explicit(&s->used, 0, memory_order_relaxed);
    atomic_store_explicit(&s->open, 0, memory_order_relaxed);
    soak_at(h, "weft_pool_create");
    const enum weft_status status = weft_pool_create(&s->pool, &options);
    if (status != WEFT_OK)
        soak_fault(h->run, "create returned %s", weft_status_name(status));
}

/* Amid the turns of the others. */
static void
shut_down_now(struct soak_hand *h, struct soak_pool_case *s)
{
    const enum weft_status status = weft_pool_shutdown(
        s->pool, soak_one_in(h, 2) ? WEFT_FINISH : WEFT_CANCEL_PENDING,
        WEFT_NOW);

    if (status != WEFT_OK && status != WEFT_TIMEOUT)
        soak_fault(h->run, "shutdown returned %s", weft_status_name(status));
}

static void
take_turns(struct soak_hand *h, struct soak_pool_case *s)
{
    struct soak_actor a = {.h = h, .s = s};

    for (unsigned i = 0; i < SOAK_TURNS && !soak_has_failed(h); i++) {
        if (h->index == 0 && i == s->shutdown_turn)
            shut_down_now(h, s);
        soak_act(&a);
        soak_turn(h);
    }
    soak_let_go(&a);
}

void
soak_pool_body(struct soak_hand *h)
{
    struct soak_pool_case *s = h->state;
    bool more = true;

    while (more) {
        soak_at(h, "the meeting at the end of a round");
        if (!soak_meet(h, &s->meeting))
            return;
        if (h->index == 0) {
            judge(h, s);
            if (soak_goes_on(h))
                make_pool(h, s);
        }
        soak_at(h, "the meeting at the beginning of a round");
        if (!soak_meet(h, &s->meeting))
            return;
        more = s->pool != NULL;
        if (more)
            take_turns(h, s);
        soak_turn(h);
    }
}

bool
soak_pool_open(struct soak_run *run, void *state)
{
    (void)run;
    soak_meeting_init(&((struct soak_pool_case *)state)->meeting);
    return true;
}

/* A run that has failed may have a pool, and tasks that use all this. */
void
soak_pool_close(struct soak_run *run, void *state)
{
    struct soak_pool_case *s = state;

    if (s->pool == NULL)
        return;
    run->in_use = s->left || weft_pool_shutdown(s->pool, WEFT_CANCEL_PENDING,
                                                weft_in_ms(LAST_MS)) != WEFT_OK;
    if (!run->in_use)
        weft_pool_destroy(s->pool);
}
