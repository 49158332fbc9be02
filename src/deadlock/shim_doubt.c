/* SPDX-License-Identifier: MIT */
/*
 * shim_doubt.c - reports that are not certain.
 *
 * A thread that was told to be stuck is not, if the number of its wait changes.
 * One of those that are said to wait for each other is enough: the others get
 * what they wait for, or will be told anew.  Those for which there is no room
 * are never taken back.
 *
 * The checker asks, and who ends the program, for its exit status.
 *
 * Ordering.
 *
 *     doubts     who had the list before  ->  who has it now
 */
#include <sched.h>

#include "base/writer.h"
#include "deadlock/report.h"
#include "deadlock/shim_doubt.h"

#define ROOM        16 /* reports */
#define THREADS     8  /* of one that are looked at */
#define PATIENCE_MS 1000

static struct doubt {
    uint32_t count; /* of all its threads; 0: free */
    uint32_t known;
    int64_t since; /* [ms] */
    const struct weft_shim_thread *thread[THREADS];
    uint64_t sequence[THREADS];
} doubts[ROOM];
static bool more; /* than there is room for */
static _Atomic bool taken;
static struct weft_writer writer;

static int64_t
now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Give up where that takes long: a handler of a signal may end the program
 * while its thread has the list. */
static bool
take(void)
{
    const int64_t until = now_ms() + PATIENCE_MS;

    /* acquire: doubts */
    while (atomic_exchange_explicit(&taken, true, memory_order_acquire)) {
        if (now_ms() >= until)
            return false;
        sched_yield();
    }
    return true;
}

static void
leave(void)
{
    /* release: doubts */
    atomic_store_explicit(&taken, false, memory_order_release);
}

static void
write_down(struct doubt *d, const struct weft_shim_picture *p,
           const struct weft_dl_found *f)
{
    d->count = f->count;
    d->known = 0;
    d->since = now_ms();
    for (uint32_t i = f->first; i != WEFT_DL_NONE && d->known < THREADS;
         i = p->p.threads[i].next) {
        d->thread[d->known] = p->record[i];
        d->sequence[d->known++] = p->p.threads[i].wait.sequence;
    }
}

void
weft_shim_doubt_(const struct weft_shim_picture *p,
                 const struct weft_dl_found *f)
{
    struct doubt *d = doubts;

    if (!take())
        return;
    while (d < doubts + ROOM && d->count > 0)
        d++;
    if (d < doubts + ROOM)
        write_down(d, p, f);
    else
        more = true;
    leave();
}

static bool
have_gone_on(const struct doubt *d)
{
    for (uint32_t i = 0; i < d->known; i++)
        if (atomic_load_explicit(&d->thread[i]->sequence,
                                 memory_order_relaxed) != d->sequence[i])
            return true;
    return false;
}

static void
take_back(struct doubt *d)
{
    if (weft_shim_begin_text_(&writer)) {
        weft_writer_say_(&writer,
                         "weft: no deadlock: the %s that might have been in "
                         "one went on\n",
                         d->count == 1 ? "thread" : "threads");
        weft_shim_end_text_(&writer);
    }
    d->count = 0;
}

bool
weft_shim_settle_doubts_(void)
{
    bool left = more;

    if (!take())
        return false;
    for (struct doubt *d = doubts; d < doubts + ROOM; d++) {
        if (d->count > 0 && have_gone_on(d))
            take_back(d);
        left = left || d->count > 0;
    }
    leave();
    return left;
}

bool
weft_shim_doubts_too_long_(void)
{
    const int64_t most = weft_shim_options_.doubt_ms;
    const int64_t now = now_ms();
    bool too_long = false;

    if (weft_shim_options_.keep || !take())
        return false;
    for (struct doubt *d = doubts; d < doubts + ROOM; d++)
        too_long = too_long || (d->count > 0 && now - d->since >= most);
    if (too_long && weft_shim_begin_text_(&writer)) {
        weft_writer_say_(&writer,
                         "weft: they still wait, %lld.%lld s later: "
                         "the program is ended\n",
                         (long long)most / 1000, (long long)most % 1000 / 100);
        weft_shim_end_text_(&writer);
    }
    leave();
    return too_long;
}

void
weft_shim_forget_doubts_(void)
{
    for (struct doubt *d = doubts; d < doubts + ROOM; d++)
        d->count = 0;
    more = false;
    leave();
}
