/* SPDX-License-Identifier: MIT */
/*
 * waits.c - the records, read as a picture.
 *
 * First all threads and their waits, in the order of their ids; then, for each
 * that waits for good, who it needs.  The owner of a lock is read out of the
 * lock (owner.c), so he is the owner at that moment, whatever is noted. Readers
 * are taken from what is noted, which each one takes back before it lets go.
 *
 * An owner that is not in the list has ended, or was started since: he is only
 * believed to have ended if ended.c remembers him.
 *
 * Ordering.
 *
 *     watch.wait   a wait is published  ->  it is read here
 *     watch.told   its thread was told  ->  it is read here
 */
#include "thread/waits.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/name.h"
#include "base/symbol.h"
#include "thread/ended.h"
#include "thread/snapshot.h"

#define SPARE      32 /* threads that start meanwhile, or have ended */
#define HELD_ROOM  2048
#define NEEDS_EACH 4

/* What is held by those of a report; by one thread at a time, see waits.h. */
static struct weft_dl_held held_room[HELD_ROOM];
static struct weft_ended ended_room[SPARE];

/* --- memory --------------------------------------------------------------- */

static bool
make_room(struct weft_waits *w, size_t threads)
{
    if (threads <= w->room)
        return true;
    const size_t room = 2 * threads;
    const size_t needs_room = NEEDS_EACH * room;
    const size_t lists = room * sizeof(struct weft_dl_thread);
    const size_t tasks = room * sizeof(struct weft_waits_task);
    const size_t bytes = lists + tasks + needs_room * sizeof(uint32_t);
    char *m = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (m == MAP_FAILED)
        return false;
    if (w->memory != NULL)
        munmap(w->memory, w->bytes);
    w->memory = m;
    w->bytes = bytes;
    w->room = (uint32_t)room;
    w->picture.threads = (struct weft_dl_thread *)(void *)m;
    w->tasks = (struct weft_waits_task *)(void *)(m + lists);
    w->needs = (uint32_t *)(void *)(m + lists + tasks);
    w->needs_room = (uint32_t)needs_room;
    return true;
}

static struct weft_dl_thread *
add_thread(struct weft_waits *w, uint64_t id, int64_t native_id)
{
    const uint32_t i = w->picture.count;

    if (i == w->room)
        return NULL;
    w->picture.count++;
    memset(&w->picture.threads[i], 0, sizeof(w->picture.threads[i]));
    w->picture.threads[i].id = id;
    w->tasks[i] = (struct weft_waits_task){.native_id = native_id};
    return &w->picture.threads[i];
}

/* One more whom the thread that was looked at last needs. */
static void
add_need(struct weft_waits *w, struct weft_dl_wait *wait, uint32_t who)
{
    if (w->needs_count == w->needs_room) {
        wait->outside = wait->rule == WEFT_DL_ONE_OF;
        return;
    }
    w->needs[w->needs_count++] = who;
    wait->needs_count++;
}

/* --- threads and their waits ---------------------------------------------- */

static bool
can_fail(enum weft_kind kind, uint32_t flags)
{
    return (flags & WEFT_WAIT_INSISTS) == 0 &&
           (kind == WEFT_KIND_MUTEX || kind == WEFT_KIND_RMUTEX ||
            kind == WEFT_KIND_READ || kind == WEFT_KIND_WRITE ||
            kind == WEFT_KIND_ONCE || kind == WEFT_KIND_THREAD);
}

/* Who was told comes back with the lock only, and does not give up. */
static void
copy_told(struct weft_dl_thread *t, const struct weft_self *s)
{
    /* acquire: watch.told */
    if (t->wait.kind != WEFT_KIND_COND ||
        atomic_load_explicit(&s->told, memory_order_acquire) !=
            t->wait.sequence)
        return;
    t->wait.object = atomic_load_explicit(&s->told_lock, memory_order_relaxed);
    t->wait.kind = (enum weft_kind)atomic_load_explicit(&s->told_kind,
                                                        memory_order_relaxed);
}

static void
copy_wait(struct weft_dl_thread *t, const struct weft_self *s)
{
    struct weft_dl_wait *w = &t->wait;

    /* acquire: watch.wait */
    w->sequence = atomic_load_explicit(&s->waits, memory_order_acquire);
    w->object = atomic_load_explicit(&s->waits_for, memory_order_relaxed);
    w->kind = (enum weft_kind)atomic_load_explicit(&s->waits_kind,
                                                   memory_order_relaxed);
    const weft_deadline until =
        atomic_load_explicit(&s->waits_until, memory_order_relaxed);
    t->since = atomic_load_explicit(&s->waits_since, memory_order_relaxed);
    t->can_fail = can_fail(
        w->kind, atomic_load_explicit(&s->waits_flags, memory_order_relaxed));
    for (int i = 0; i < WEFT_WAIT_PLACES && i < WEFT_DL_PLACES; i++)
        w->place.call[i] =
            atomic_load_explicit(&s->waits_place[i], memory_order_relaxed);
    copy_told(t, s);
    /* That it has not changed meanwhile is seen in the next picture. */
    if (w->sequence % 2 == 0 || w->object == NULL)
        t->state = WEFT_DL_RUNS;
    else
        t->state = until == WEFT_FOREVER ? WEFT_DL_BLOCKED : WEFT_DL_TIMED;
}

/* Between weft_reclaim_enter_ and _leave_. */
static void
copy_threads(struct weft_waits *w)
{
    w->picture.count = 0;
    w->needs_count = 0;
    for (const struct weft_self *s = weft_self_first_(); s != NULL;
         s = weft_self_next_(s)) {
        struct weft_dl_thread *t = add_thread(
            w, s->id,
            atomic_load_explicit(&s->native_id, memory_order_relaxed));
        if (t == NULL)
            return;
        copy_wait(t, s);
    }
}

/* --- who needs whom ------------------------------------------------------- */

/* Where a listed thread is in the picture; `listed`: those before the ended. */
static uint32_t
find_id(const struct weft_waits *w, uint32_t listed, uint64_t id)
{
    uint32_t from = 0;
    uint32_t to = listed;

    while (from < to) {
        const uint32_t middle = from + (to - from) / 2;
        if (w->picture.threads[middle].id < id)
            from = middle + 1;
        else
            to = middle;
    }
    return from < listed && w->picture.threads[from].id == id ? from
                                                              : WEFT_DL_NONE;
}

/* The place of one who has ended; none if it is not sure that he has. */
static uint32_t
find_ended(struct weft_waits *w, uint32_t listed, uint64_t id)
{
    for (uint32_t i = listed; i < w->picture.count; i++)
        if (w->picture.threads[i].id == id)
            return i;
    const uint32_t n = w->picture.count - listed;
    if (n == SPARE || !weft_ended_get_(id, &ended_room[n]))
        return WEFT_DL_NONE;
    struct weft_dl_thread *t = add_thread(w, id, 0);
    if (t == NULL)
        return WEFT_DL_NONE;
    t->state = WEFT_DL_ENDED;
    memcpy(t->name, ended_room[n].name, sizeof(t->name));
    t->held = ended_room[n].held;
    t->held_count = ended_room[n].held_count;
    return w->picture.count - 1;
}

static bool
is_noted(const struct weft_self *s, const void *object, enum weft_kind kind)
{
    uint32_t n = atomic_load_explicit(&s->held_count, memory_order_relaxed);

    for (n = n < WEFT_HELD_MAX ? n : WEFT_HELD_MAX; n > 0; n--)
        if (atomic_load_explicit(&s->held[n - 1].object,
                                 memory_order_relaxed) == object &&
            atomic_load_explicit(&s->held[n - 1].kind, memory_order_relaxed) ==
                kind)
            return true;
    return false;
}

/* Those who have it to read. */
static void
need_readers(struct weft_waits *w, uint32_t listed, struct weft_dl_wait *wait)
{
    for (const struct weft_self *s = weft_self_first_(); s != NULL;
         s = weft_self_next_(s)) {
        if (!is_noted(s, wait->object, WEFT_KIND_READ))
            continue;
        const uint32_t who = find_id(w, listed, s->id);
        if (who != WEFT_DL_NONE)
            add_need(w, wait, who);
    }
}

/* Any of the writers who wait; see rwlock_word.c. */
static void
need_writers(struct weft_waits *w, uint32_t listed, struct weft_dl_wait *wait)
{
    wait->rule = WEFT_DL_ONE_OF;
    if (!weft_readers_are_shut_out_(wait->object))
        return;
    for (uint32_t i = 0; i < listed; i++)
        if (w->picture.threads[i].state != WEFT_DL_RUNS &&
            w->picture.threads[i].wait.object == wait->object &&
            w->picture.threads[i].wait.kind == WEFT_KIND_WRITE)
            add_need(w, wait, i);
}

static void
need_owner(struct weft_waits *w, uint32_t listed, struct weft_dl_wait *wait)
{
    const uint32_t tag =
        weft_owner_tag_of_((struct weft_lock_view){wait->object, wait->kind});

    if (tag != 0) {
        uint32_t who = find_id(w, listed, weft_self_first_id_of_(tag));
        if (who == WEFT_DL_NONE) {
            const uint64_t id = weft_self_id_of_(tag);
            who = find_id(w, listed, id);
            if (who == WEFT_DL_NONE)
                who = find_ended(w, listed, id);
        }
        if (who != WEFT_DL_NONE)
            add_need(w, wait, who);
    } else if (wait->kind == WEFT_KIND_WRITE) {
        need_readers(w, listed, wait);
    } else if (wait->kind == WEFT_KIND_READ) {
        need_writers(w, listed, wait);
    }
}

static void
need(struct weft_waits *w, uint32_t listed, struct weft_dl_wait *wait)
{
    uint32_t who;

    wait->needs = w->needs + w->needs_count;
    switch (wait->kind) {
    case WEFT_KIND_MUTEX:
    case WEFT_KIND_RMUTEX:
    case WEFT_KIND_READ:
    case WEFT_KIND_WRITE:
    case WEFT_KIND_ONCE:
        wait->rule = WEFT_DL_ALL;
        need_owner(w, listed, wait);
        return;
    case WEFT_KIND_THREAD:
        wait->rule = WEFT_DL_ALL;
        who = find_id(w, listed, weft_joined_id_of_(wait->object));
        if (who != WEFT_DL_NONE)
            add_need(w, wait, who);
        return;
    case WEFT_KIND_WORK:
        wait->idle = true;
        break;
    case WEFT_KIND_NONE:
    case WEFT_KIND_SPIN:
    case WEFT_KIND_SEMAPHORE:
    case WEFT_KIND_EVENT:
    case WEFT_KIND_COND:
    case WEFT_KIND_BARRIER:
    case WEFT_KIND_TIMER:
    case WEFT_KIND_QUEUE:
    case WEFT_KIND_FUTURE:
    case WEFT_KIND_TASK:
    case WEFT_KIND_COUNT:
        break;
    }
    wait->rule = WEFT_DL_ANYBODY;
}

bool
weft_waits_look_(struct weft_waits *w)
{
    if (!make_room(w, weft_self_count_() + SPARE))
        return false;
    weft_reclaim_enter_();
    copy_threads(w);
    const uint32_t listed = w->picture.count;
    for (uint32_t i = 0; i < listed; i++)
        if (w->picture.threads[i].state == WEFT_DL_BLOCKED)
            need(w, listed, &w->picture.threads[i].wait);
    weft_reclaim_leave_();
    return true;
}

/* --- for a report --------------------------------------------------------- */

uint32_t
weft_waits_copy_held_(struct weft_dl_held *out, uint32_t room,
                      const struct weft_self *s)
{
    uint32_t n = atomic_load_explicit(&s->held_count, memory_order_relaxed);

    n = n < WEFT_HELD_MAX ? n : WEFT_HELD_MAX;
    n = n < room ? n : room;
    for (uint32_t i = 0; i < n; i++)
        out[i] = (struct weft_dl_held){
            .object =
                atomic_load_explicit(&s->held[i].object, memory_order_relaxed),
            .kind = (enum weft_kind)atomic_load_explicit(&s->held[i].kind,
                                                         memory_order_relaxed),
            .place.call[0] =
                atomic_load_explicit(&s->held[i].place, memory_order_relaxed)};
    return n;
}

void
weft_waits_fill_(struct weft_waits *w)
{
    uint32_t used = 0;
    uint32_t i = 0;

    weft_reclaim_enter_();
    for (struct weft_self *s = weft_self_first_(); s != NULL;
         s = weft_self_next_(s)) {
        while (i < w->picture.count && w->picture.threads[i].id < s->id)
            i++;
        if (i == w->picture.count)
            break;
        struct weft_dl_thread *t = &w->picture.threads[i];
        if (t->id != s->id || !t->stuck)
            continue;
        weft_symbol_copy_(t->name, sizeof(t->name), weft_name_get_(s));
        t->held = &held_room[used];
        t->held_count =
            weft_waits_copy_held_(&held_room[used], HELD_ROOM - used, s);
        used += t->held_count;
    }
    weft_reclaim_leave_();
}

bool
weft_waits_end_(const struct weft_dl_thread *t)
{
    bool done = false;

    weft_reclaim_enter_();
    for (struct weft_self *s = weft_self_first_(); s != NULL && !done;
         s = weft_self_next_(s)) {
        done = s->id == t->id &&
               atomic_load_explicit(&s->waits, memory_order_relaxed) ==
                   t->wait.sequence;
        if (done)
            atomic_store_explicit(&s->waits_victim, t->wait.sequence,
                                  memory_order_relaxed);
    }
    weft_reclaim_leave_();
    return done;
}
