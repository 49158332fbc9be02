/* SPDX-License-Identifier: MIT */
/*
 * deadlock.c - who looks, when, and what happens then.
 *
 * Who looks.  The blocked threads themselves: base/park.h wakes one that sleeps
 * without a deadline after 20 ms, and it looks at all.  The last one that a
 * deadlock needs is blocked when it looks, so the deadlock is seen then.  A
 * thread of its own would have to sleep as well, would be one thread more in
 * every process, and would have to be there again after a fork; here nothing
 * happens while nobody is blocked for long.
 *
 * A deadlock can also be closed by one who ends.  So who is still blocked looks
 * again, every REST_MS; all together look no more often than every PAUSE_MS,
 * since one look serves all who were blocked by then.
 *
 * Sure.  What is found is believed when it is there again, with the same waits,
 * SURE_MS later (deadlock/find.h says why that is enough); what is only
 * possible also needs the system's word that all have slept meanwhile
 * (asleep.c).
 *
 * Fail.  The thread that is to give up is told in its record, sees it when it
 * looks the next time, and takes its wait back at once, so that no one else
 * finds the same deadlock and gives up, too.
 *
 * Ordering.  All relaxed: the lock of the pictures orders what those who look
 * share.
 */
#include <weft/deadlock.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/name.h"
#include "base/park.h"
#include "base/stack.h"
#include "base/symbol.h"
#include "deadlock/watch.h"
#include "thread/deadlock.h"
#include "thread/ended.h"
#include "thread/waits.h"

#define REST_MS   250
#define PAUSE_MS  10
#define SURE_MS   5
#define ROOM      8   /* parts found at a time */
#define KNOWN     256 /* of those reported, in a ring */
#define NS_PER_MS 1000000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int policy = WEFT_DEADLOCK_OFF;
static _Atomic size_t reports;
static bool watched_before; /* somebody else had it switched on */

/* Under the lock. */
static struct weft_waits first;
static struct weft_waits second;
static int64_t looked_at_ns; /* when the last look began */
static uint64_t known[KNOWN];
static unsigned known_next;

/* --- what was reported ---------------------------------------------------- */

static bool
is_known(uint64_t mark)
{
    for (int i = 0; i < KNOWN; i++)
        if (known[i] == mark)
            return true;
    return false;
}

/* Whether it is new; from now on it is not. */
static bool
is_news(uint64_t mark)
{
    if (is_known(mark))
        return false;
    known[known_next++ % KNOWN] = mark;
    return true;
}

/* A number that stands for the places where the threads wait. */
static uint64_t
mark_of_places(const struct weft_dl_picture *p, const struct weft_dl_found *f)
{
    uint64_t sum = f->shape + 1;

    for (uint32_t i = f->first; i != WEFT_DL_NONE; i = p->threads[i].next) {
        const struct weft_dl_wait *w = &p->threads[i].wait;
        sum += (w->place.call[0] + w->kind) * UINT64_C(0x9e3779b97f4a7c15);
    }
    return sum;
}

/* Count what is new, and show it, unless it is suppressed. */
static void
report(const struct weft_dl_picture *p, const struct weft_dl_found *f)
{
    if (!is_news(weft_dl_mark_(p, f)))
        return;
    const int how = atomic_load_explicit(&policy, memory_order_relaxed);
    const bool was_told = weft_deadlock_order_happens_(p, f);
    if (weft_deadlock_suppresses_(p, f))
        return;
    atomic_fetch_add_explicit(&reports, 1, memory_order_relaxed);
    if (how != WEFT_DEADLOCK_FAIL || is_news(mark_of_places(p, f))) {
        weft_deadlock_say_(p, f);
        if (was_told)
            weft_deadlock_say_line_("  That it could was said above.");
    }
    if (how == WEFT_DEADLOCK_ABORT && f->certain)
        abort();
}

/* --- a look --------------------------------------------------------------- */

/* The caller's wait is over as far as others see. */
static enum weft_status
give_up(void)
{
    weft_watch_unblock_();
    return WEFT_DEADLOCK;
}

/* Report it, and end a wait if that is the policy. */
static enum weft_status
handle(const struct weft_self *me, const struct weft_dl_picture *p,
       const struct weft_dl_found *f)
{
    const struct weft_dl_thread *last = &p->threads[f->youngest];

    report(p, f);
    if (atomic_load_explicit(&policy, memory_order_relaxed) !=
            WEFT_DEADLOCK_FAIL ||
        !f->certain || !last->can_fail)
        return WEFT_OK;
    if (last->id == me->id)
        return give_up();
    (void)weft_waits_end_(last);
    return WEFT_OK;
}

/* Whether there is anything to do about what was found. */
static bool
is_worth_it(const struct weft_dl_found *found, size_t n)
{
    if (atomic_load_explicit(&policy, memory_order_relaxed) ==
        WEFT_DEADLOCK_FAIL)
        return n > 0;
    for (size_t i = 0; i < n; i++)
        if (!is_known(weft_dl_mark_(&first.picture, &found[i])))
            return true;
    return false;
}

static bool
is_doubtful(const struct weft_dl_found *found, size_t n)
{
    return n > 0 && !found[n - 1].certain; /* the certain ones come first */
}

/* Which of those found in the first picture is the same; NULL: none. */
static const struct weft_dl_found *
find_same(const struct weft_dl_found *found, size_t n,
          const struct weft_dl_found *f)
{
    for (size_t i = 0; i < n; i++)
        if (weft_dl_same_(&first.picture, &found[i], &second.picture, f))
            return &found[i];
    return NULL;
}

static void
pause_for_ms(long ms)
{
    const struct timespec t = {0, ms * NS_PER_MS};

    (void)syscall(SYS_nanosleep, &t, NULL);
}

/* Where the caller sleeps. */
struct spot {
    const void *word;
    uint32_t expected;
};

/* Look twice; under the lock. */
static enum weft_status
look_twice(const struct weft_self *me, const struct spot *spot)
{
    struct weft_dl_found found[ROOM];
    struct weft_dl_found again[ROOM];
    enum weft_status s = WEFT_OK;

    if (!weft_waits_look_(&first))
        return WEFT_OK;
    const size_t n = weft_dl_find_(&first.picture, found, ROOM);
    if (!is_worth_it(found, n))
        return WEFT_OK;
    bool slept = is_doubtful(found, n) &&
                 weft_waits_are_asleep_(&first, spot->word, spot->expected);
    pause_for_ms(SURE_MS);
    if (!weft_waits_look_(&second))
        return WEFT_OK;
    const size_t m = weft_dl_find_(&second.picture, again, ROOM);
    slept = slept &&
            weft_waits_are_asleep_(&second, spot->word, spot->expected) &&
            weft_waits_slept_on_(&first, &second);
    weft_waits_fill_(&second);
    for (size_t i = 0; i < m && s == WEFT_OK; i++)
        if ((again[i].certain || slept) &&
            find_same(found, n, &again[i]) != NULL)
            s = handle(me, &second.picture, &again[i]);
    return s;
}

/* Whether a look was late enough to see this wait. */
static bool
is_seen(const struct weft_self *me)
{
    return looked_at_ns >
           atomic_load_explicit(&me->waits_since, memory_order_relaxed);
}

/* Whether that was lately enough, or the last look just now. */
static bool
is_served(const struct weft_self *me, int64_t now_ns)
{
    return now_ns - looked_at_ns < PAUSE_MS * (int64_t)NS_PER_MS ||
           (is_seen(me) &&
            now_ns - looked_at_ns < REST_MS / 2 * (int64_t)NS_PER_MS);
}

/* What the caller has found does not happen, or has been told as that. */
static void
say_news(void)
{
    if (weft_watch_news_ != WEFT_NEWS)
        return;
    weft_watch_news_ = WEFT_NO_NEWS;
    weft_deadlock_order_say_();
}

static enum weft_status
look_under_lock(const struct weft_self *me, const struct spot *spot,
                int64_t *again_ms)
{
    const int64_t now_ns = weft_clock_ns_();
    enum weft_status s = WEFT_OK;

    if (is_served(me, now_ns)) {
        *again_ms = WEFT_PARK_LONG_MS;
    } else {
        looked_at_ns = now_ns;
        s = look_twice(me, spot);
    }
    if (is_seen(me))
        say_news();
    return s;
}

/* Keep where the caller waits, from the user's call on. */
static void
keep_place(struct weft_self *me)
{
    const uintptr_t user =
        atomic_load_explicit(&me->waits_place[0], memory_order_relaxed);
    struct weft_stack stack;
    uint32_t at = 0;

    if (user == 0 ||
        atomic_load_explicit(&me->waits_place[1], memory_order_relaxed) != 0)
        return;
    weft_stack_capture_(&stack, 0);
    while (at < stack.count && stack.calls[at] != user)
        at++;
    for (int i = 1; i < WEFT_WAIT_PLACES; i++) {
        const uint32_t from = at + (uint32_t)i;
        atomic_store_explicit(&me->waits_place[i],
                              from < stack.count ? stack.calls[from] : 0,
                              memory_order_relaxed);
    }
}

/* What base/park.h calls in a long wait. */
static enum weft_status
look(const void *word, uint32_t expected, int64_t *again_ms)
{
    const struct spot spot = {word, expected};
    struct weft_self *me = weft_self_record_;
    const int saved = errno;
    int cancel;

    *again_ms = REST_MS;
    if (me == NULL)
        return WEFT_OK;
    const uint64_t wait =
        atomic_load_explicit(&me->waits, memory_order_relaxed);
    if (wait % 2 == 0 ||
        atomic_load_explicit(&me->waits_until, memory_order_relaxed) !=
            WEFT_FOREVER)
        return WEFT_OK;
    if (atomic_load_explicit(&me->waits_victim, memory_order_relaxed) == wait)
        return give_up();
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    enum weft_status s = WEFT_OK;
    keep_place(me);
    if (pthread_mutex_trylock(&lock) == 0) {
        s = look_under_lock(me, &spot, again_ms);
        pthread_mutex_unlock(&lock);
    } else {
        *again_ms = WEFT_PARK_LONG_MS;
    }
    pthread_setcancelstate(cancel, NULL);
    errno = saved;
    return s;
}

/* --- a thread that waits for itself --------------------------------------- */

#define OWN_HELD 48

/* Weft's locks find it out by themselves and return; here it is shown. */
static void
tell_self(struct weft_self *s, const void *object, enum weft_kind kind)
{
    static struct weft_dl_held held[OWN_HELD];
    static const uint32_t itself = 0;
    static struct weft_dl_thread t;
    struct weft_dl_picture p = {&t, 1};
    struct weft_dl_found f;

    pthread_mutex_lock(&lock);
    t = (struct weft_dl_thread){.id = s->id,
                                .state = WEFT_DL_BLOCKED,
                                .wait = {.object = object,
                                         .kind = kind,
                                         .rule = WEFT_DL_ALL,
                                         .needs_count = 1,
                                         .needs = &itself},
                                .held = held};
    t.wait.place.call[0] = weft_watch_caller_;
    t.wait.sequence = weft_watch_caller_;
    t.held_count = weft_waits_copy_held_(held, OWN_HELD, s);
    weft_symbol_copy_(t.name, sizeof(t.name), weft_name_get_(s));
    if (weft_dl_find_(&p, &f, 1) == 1)
        report(&p, &f);
    pthread_mutex_unlock(&lock);
}

/* A circle of joins that the caller's would close: all are in their waits. */
static void
tell_circle(const struct weft_self *me)
{
    struct weft_dl_found found[ROOM];

    pthread_mutex_lock(&lock);
    if (weft_waits_look_(&second)) {
        const size_t n = weft_dl_find_(&second.picture, found, ROOM);
        weft_waits_fill_(&second);
        for (size_t i = 0; i < n; i++)
            for (uint32_t t = found[i].first; t != WEFT_DL_NONE;
                 t = second.picture.threads[t].next)
                if (second.picture.threads[t].id == me->id &&
                    found[i].shape == WEFT_DL_JOINS)
                    report(&second.picture, &found[i]);
    }
    pthread_mutex_unlock(&lock);
}

/* To write a report is a point where a thread can be cancelled. */
static void
tell_own(struct weft_self *s, const void *object, enum weft_kind kind)
{
    const int saved = errno;
    int cancel;

    if (weft_watch_is_cut_off_())
        return;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    if (kind == WEFT_KIND_THREAD)
        tell_circle(s);
    else
        tell_self(s, object, kind);
    pthread_setcancelstate(cancel, NULL);
    errno = saved;
}

void
weft_deadlock_alone_(void (*say)(const void *what), const void *what)
{
    const int saved = errno;
    int cancel;

    if (weft_watch_is_cut_off_())
        return;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    pthread_mutex_lock(&lock);
    say(what);
    pthread_mutex_unlock(&lock);
    pthread_setcancelstate(cancel, NULL);
    errno = saved;
}

static void
say_broken(const void *broken)
{
    const struct weft_broken_rank *b = broken;
    const uint64_t mark =
        (b->wanted.place.call[0] ^ (uint64_t)b->held.place.call[0] << 32) *
            UINT64_C(0x9e3779b97f4a7c15) |
        1;

    if (!is_news(mark))
        return;
    atomic_fetch_add_explicit(&reports, 1, memory_order_relaxed);
    weft_deadlock_say_rank_(b);
}

void
weft_deadlock_broken_(const struct weft_broken_rank *b)
{
    weft_deadlock_alone_(say_broken, b);
}

/* --- on and off ----------------------------------------------------------- */

size_t
weft_deadlock_count(void)
{
    return atomic_load_explicit(&reports, memory_order_relaxed);
}

static void
switch_on(void)
{
    if (atomic_load_explicit(&weft_park_look_, memory_order_relaxed) != NULL)
        return;
    watched_before = weft_watching_();
    weft_ended_begin_();
    atomic_store_explicit(&weft_watch_tell_own_, tell_own,
                          memory_order_relaxed);
    atomic_store_explicit(&weft_park_look_, look, memory_order_relaxed);
    weft_deadlock_ranks_(true);
    weft_deadlock_order_begin_();
    weft_watch_enable_(true);
}

static void
switch_off(void)
{
    if (atomic_load_explicit(&weft_park_look_, memory_order_relaxed) == NULL)
        return;
    atomic_store_explicit(&weft_park_look_, NULL, memory_order_relaxed);
    atomic_store_explicit(&weft_watch_tell_own_, NULL, memory_order_relaxed);
    weft_deadlock_ranks_(false);
    weft_deadlock_order_end_();
    if (!watched_before)
        weft_watch_enable_(false);
}

void
weft_deadlock_set_(enum weft_deadlock_policy how)
{
    pthread_mutex_lock(&lock);
    atomic_store_explicit(&policy, (int)how, memory_order_relaxed);
    if (how == WEFT_DEADLOCK_OFF)
        switch_off();
    else
        switch_on();
    pthread_mutex_unlock(&lock);
}

void
weft_deadlock_forked_(void)
{
    pthread_mutex_init(&lock, NULL);
}
