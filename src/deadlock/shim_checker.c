/* SPDX-License-Identifier: MIT */
/*
 * shim_checker.c - the thread that looks for deadlocks in a foreign program.
 *
 * It starts when the program starts its first thread, or when somebody is about
 * to wait, blocks all signals, and sleeps until somebody waits.  20 ms later it
 * looks whether somebody still does; whom it finds stuck must be stuck in a
 * second picture, too, and sleep all the time between by what the kernel says.
 *
 * When nothing has changed since it looked it sleeps again, without a timeout;
 * but who waits for a condition may go on to wait for the mutex without a call,
 * so while there are such it looks four times a second.
 *
 * Ordering.  See shim_publish.c.
 *
 *     shim.bell   the bell is set, the waits read  ->  who waits, which publishes
 *                 that and then reads the bell: one of the two sees the other
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <weft/deadline.h>

#include "base/writer.h"
#include "deadlock/report.h"
#include "deadlock/shim_confirm.h"
#include "deadlock/shim_doubt.h"
#include "deadlock/shim_dump.h"
#include "deadlock/shim_order.h"
#include "deadlock/shim_suppress.h"

#define STACK_BYTES ((size_t)512 << 10)
#define PATIENCE_MS 20
#define BETWEEN_MS  10
#define AGAIN_MS    250
#define NAMES_MS    4000 /* a machine may be busy; mostly it takes 50 */
#define DOUBT_MS    500  /* before what is not certain is told */
#define FOUND       8
#define REMEMBERED  64

static struct weft_shim_picture pictures[2];
static struct weft_dl_found found[2][FOUND];
static uint64_t reported[REMEMBERED];
static uint32_t reported_count;

static _Atomic bool watching;
static struct weft_writer writer;

/* --- reports -------------------------------------------------------------- */

static bool
is_told(uint64_t mark)
{
    for (uint32_t i = 0; i < reported_count && i < REMEMBERED; i++)
        if (reported[i] == mark)
            return true;
    return false;
}

static void
name_threads(struct weft_shim_picture *p)
{
    for (uint32_t i = 0; i < p->p.count; i++)
        if (p->p.threads[i].stuck)
            weft_shim_name_of_(p->tid[i], p->p.threads[i].name,
                               sizeof(p->p.threads[i].name));
}

static void
shorten(struct weft_shim_picture *p, const struct weft_symbols *symbols)
{
    for (uint32_t i = 0; i < p->p.count; i++)
        if (p->p.threads[i].stuck)
            weft_shim_shorten_(&p->p.threads[i].wait.place, symbols, false);
    for (size_t i = 0; i < p->held_used; i++)
        weft_shim_shorten_(&p->held[i].place, symbols, true);
}

/* Whether the threads of a cycle have not moved since the picture. */
static bool
is_still_so(const struct weft_shim_picture *p, const struct weft_dl_found *f)
{
    for (uint32_t t = f->first; t != WEFT_DL_NONE; t = p->p.threads[t].next) {
        const struct weft_dl_thread *d = &p->p.threads[t];
        if (atomic_load_explicit(&p->record[t]->sequence,
                                 memory_order_relaxed) != d->wait.sequence ||
            (d->wait.kind != WEFT_KIND_SPIN &&
             weft_shim_sleep_of_(p->tid[t]).switches != p->sleep[t].switches))
            return false;
    }
    return true;
}

static bool
does_any_run(const struct weft_dl_picture *p)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (!p->threads[i].stuck && p->threads[i].state != WEFT_DL_ENDED)
            return true;
    return false;
}

/* Whether there is nothing to wait for any more, as there is while somebody runs
 * who could be the one they need. */
static bool
is_for_good(const struct weft_shim_picture *p, const struct weft_dl_found *f)
{
    return f->certain || !does_any_run(&p->p);
}

/* The program may end when it is told: what its status is, is known before. */
static void
tell(const struct weft_shim_picture *p, const struct weft_dl_report *r)
{
    if (is_for_good(p, r->found))
        atomic_store_explicit(&weft_shim_options_.found, true,
                              memory_order_relaxed);
    else
        weft_shim_doubt_(p, r->found);
    weft_shim_write_(&writer, r);
}

/* Look the names up, which takes long enough to look once more; then tell.  What
 * is suppressed counts as told, but not here. */
static bool
report(struct weft_shim_picture *p, const struct weft_dl_found *f)
{
    struct weft_dl_report r = {.picture = &p->p, .found = f};

    name_threads(p);
    r.symbols = weft_symbols_create_(weft_dl_count_places_(&r));
    if (r.symbols != NULL) {
        weft_dl_add_places_(&r, r.symbols);
        weft_symbols_find_(r.symbols, weft_in_ms(NAMES_MS));
        shorten(p, r.symbols);
    }
    bool so = is_still_so(p, f);
    if (so) {
        reported[reported_count++ % REMEMBERED] = weft_dl_mark_(&p->p, f);
        weft_shim_confirm_(p);
        so = !weft_shim_suppresses_(&r);
        if (so)
            tell(p, &r);
    } else {
        pictures[0].again = true;
    }
    weft_symbols_destroy_(r.symbols);
    return so;
}

/* --- looking -------------------------------------------------------------- */

static void
sleep_ms(int64_t ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&t, NULL); /* the checker gets no signals */
}

static void
ask_kernel(struct weft_shim_picture *p)
{
    for (uint32_t i = 0; i < p->p.count; i++)
        if (p->p.threads[i].stuck)
            p->sleep[i] = weft_shim_sleep_of_(p->tid[i]);
}

static uint32_t
index_of(const struct weft_shim_picture *p, const struct weft_shim_thread *t)
{
    for (uint32_t i = 0; i < p->p.count; i++)
        if (p->record[i] == t)
            return i;
    return WEFT_DL_NONE;
}

/* Whether a stuck thread of the second picture has slept since the first; who
 * spins does not.  Where the kernel does not say, what is `certain` is so: all
 * have been in the same waits since, and who waits lets nothing go. */
static bool
has_slept(uint32_t i, bool certain)
{
    const struct weft_shim_picture *a = &pictures[0];
    const struct weft_shim_picture *b = &pictures[1];
    const uint32_t k = index_of(a, b->record[i]);

    if (b->p.threads[i].wait.kind == WEFT_KIND_SPIN)
        return true;
    if (k == WEFT_DL_NONE || !a->p.threads[k].stuck)
        return false;
    if (a->sleep[k].unknown || b->sleep[i].unknown)
        return certain;
    return a->sleep[k].sleeps && b->sleep[i].sleeps &&
           a->sleep[k].switches == b->sleep[i].switches;
}

static bool
have_slept(const struct weft_dl_found *f)
{
    const struct weft_dl_picture *p = &pictures[1].p;

    for (uint32_t t = f->first; t != WEFT_DL_NONE; t = p->threads[t].next)
        if (!has_slept(t, f->certain))
            return false;
    return true;
}

static int64_t
now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Whether it may be over in a moment: another thread runs that could do what it
 * has not done before. */
static bool
is_too_early(const struct weft_dl_found *f)
{
    const struct weft_dl_picture *p = &pictures[1].p;

    if (!does_any_run(p))
        return false;
    for (uint32_t t = f->first; t != WEFT_DL_NONE; t = p->threads[t].next)
        if (p->threads[t].wait.rule == WEFT_DL_ONE_OF &&
            now_ms() - p->threads[t].since / 1000000 < DOUBT_MS)
            return true;
    return false;
}

/* Whether the first picture has what was found in the second. */
static bool
was_before(const struct weft_dl_found *f, size_t before)
{
    for (size_t i = 0; i < before; i++)
        if (weft_dl_same_(&pictures[0].p, &found[0][i], &pictures[1].p, f))
            return true;
    return false;
}

/* What is stuck is reported; returns how much of that is so for good. */
static unsigned
look(void)
{
    unsigned told = 0;

    if (!weft_shim_picture_(&pictures[0]))
        return 0;
    const size_t before = weft_dl_find_(&pictures[0].p, found[0], FOUND);
    if (before == 0)
        return 0;
    ask_kernel(&pictures[0]);
    sleep_ms(BETWEEN_MS);
    if (!weft_shim_picture_(&pictures[1]))
        return 0;
    const size_t n = weft_dl_find_(&pictures[1].p, found[1], FOUND);
    ask_kernel(&pictures[1]);
    for (size_t i = 0; i < n; i++) {
        const struct weft_dl_found *f = &found[1][i];
        if (!was_before(f, before) || !have_slept(f) || is_too_early(f)) {
            pictures[0].again = true;
            continue;
        }
        if (!is_told(weft_dl_mark_(&pictures[1].p, f)))
            told += report(&pictures[1], f) && is_for_good(&pictures[1], f);
    }
    return told;
}

/* --- when ----------------------------------------------------------------- */

/* Who waits: for the first time, or since the last look. */
struct waiters {
    uint32_t fresh;
    uint32_t old;
    uint64_t sum; /* changes with every wait, and with every end */
};

static struct waiters
count_waiters(bool mark)
{
    struct waiters w = {0};

    for (struct weft_shim_thread *t = weft_shim_first_(); t != NULL;
         t = t->next) {
        const uint64_t s =
            atomic_load_explicit(&t->sequence, memory_order_relaxed);
        w.sum += s;
        if (s % 2 != 0 && s == t->seen)
            w.old++;
        else if (s % 2 != 0)
            w.fresh++;
        if (mark)
            t->seen = s;
    }
    return w;
}

/* A process whose first thread has ended ends with its last one, as if by
 * exit(0).  libc counts the checker, and so waits for ever: the checker does it
 * when there is nobody but itself and what is left of the first thread. */
static void
end_with_last(void)
{
    if (weft_shim_task_count_() == 2 && !weft_shim_sleep_of_(getpid()).exists)
        exit(0);
}

/* Sleep until something is published after what has been looked at, or there is
 * something to do. */
static void
await_news(uint64_t looked_at, bool again)
{
    atomic_store_explicit(&weft_shim_bell_, 1, memory_order_relaxed);
    /* seq_cst: shim.bell.  Otherwise a wait that is published now could find
     * the bell not set while it is not seen here. */
    atomic_thread_fence(memory_order_seq_cst);
    int64_t most = weft_shim_due_ms_(); /* seq_cst: shim.asked */
    if (again && (most < 0 || most > AGAIN_MS))
        most = AGAIN_MS;
    const struct timespec t = {most / 1000, most % 1000 * 1000000};
    if (count_waiters(false).sum == looked_at && !weft_shim_has_predicted_())
        weft_shim_await_bell_(most < 0 ? NULL : &t);
    atomic_store_explicit(&weft_shim_bell_, 0, memory_order_relaxed);
}

static void
end_program(void)
{
    if (weft_shim_options_.keep)
        return;
    weft_shim_say_suppressed_();
    syscall(SYS_exit_group, weft_shim_options_.status);
}

/* Look until nothing is new; the pause grows with the time that looks take. */
static void *
check(void *unused)
{
    int64_t pause = PATIENCE_MS;

    (void)unused;
    weft_shim_me_ = &weft_shim_nobody_;
    prctl(PR_SET_NAME, "weft-deadlock");
    for (;;) {
        const int64_t due = weft_shim_due_ms_();
        sleep_ms(due < 0 || due > pause ? pause : due);
        weft_shim_do_duties_();
        weft_shim_tell_predicted_();
        const struct waiters w = count_waiters(true);
        pictures[0].again = false;
        pictures[0].conditions = false;
        if (w.old > 0) {
            const int64_t begin = now_ms();
            const uint32_t before = reported_count;
            const unsigned told = look();
            pause = PATIENCE_MS;
            if (reported_count == before)
                pause += 20 * (now_ms() - begin);
            if (told > 0)
                end_program();
        }
        const bool doubts = weft_shim_settle_doubts_();
        if (doubts && weft_shim_doubts_too_long_())
            end_program();
        const bool first_ended =
            atomic_load_explicit(&weft_shim_first_ended_, memory_order_relaxed);
        if (first_ended)
            end_with_last();
        if (w.fresh == 0 && !pictures[0].again)
            await_news(w.sum, doubts || first_ended || pictures[0].conditions);
    }
    return NULL;
}

/* --- start ---------------------------------------------------------------- */

static bool
start(void)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t everything;
    sigset_t before;
    void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

    if (stack == MAP_FAILED)
        return false;
    pthread_attr_init(&attr);
    pthread_attr_setstack(&attr, stack, STACK_BYTES);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    sigfillset(&everything);
    pthread_sigmask(SIG_SETMASK, &everything, &before);
    const int r = weft_shim_real_.create(&thread, &attr, check, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return r == 0;
}

void
weft_shim_watch_(void)
{
    if (atomic_load_explicit(&watching, memory_order_relaxed) ||
        atomic_exchange_explicit(&watching, true, memory_order_relaxed))
        return;
    const int saved = errno;
    start();
    errno = saved;
}

void
weft_shim_unwatch_(void)
{
    atomic_store_explicit(&watching, false, memory_order_relaxed);
    atomic_store_explicit(&weft_shim_bell_, 0, memory_order_relaxed);
    weft_shim_forget_doubts_();
}
