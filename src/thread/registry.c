/* SPDX-License-Identifier: MIT */
/*
 * registry.c - what can be known about threads, and the list of all of them.
 *
 * A picture of one moment.  The list is walked once, between enter and leave of
 * base/reclaim.h and without a lock, while threads are appended at its end and
 * taken out anywhere.  Each record knows the number of the change that put it
 * in and of the one that took it out, so the moment can be chosen afterwards:
 * at the end of the list, where L is the last record met and nothing follows,
 *
 *     - L is gone by now: the moment is L's end.  L was last then, or something
 *       would follow; and whom the walk missed was gone before, because L was
 *       reached through links that are younger.
 *     - else the moment is a version that is the same before and after nothing
 *       was seen to follow L: who was born by then and not met is gone by then.
 *
 * Those met that were born by that moment and not gone by then are the picture.
 * Only the last step is repeated if the list changes meanwhile, two loads long.
 * If it changes every time, so often that LAST_STEPS are not enough, the version
 * of the last one is taken: a thread that began meanwhile may then be missed.
 *
 * A record of the picture may have left and lost its last handle before we get
 * one.  Then the picture is taken again, at most PICTURES times, and finally
 * without it.
 *
 * Ordering.  That of base/self.h.
 */
#include "thread/thread.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/name.h"

#define AT_ONCE    64 /* threads for which the stack has room */
#define LAST_STEPS 1000
#define PICTURES   16

struct picture {
    struct weft_self **records;
    size_t room;
    size_t count;
};

weft_thread *
weft_thread_current(void)
{
    struct weft_self *s = weft_self_get_();

    return s != NULL ? weft_thread_of_(s) : NULL;
}

weft_thread *
weft_thread_main(void)
{
    struct weft_self *s = weft_self_main_();

    return s != NULL ? weft_thread_of_(s) : NULL;
}

const char *
weft_thread_name(const weft_thread *t)
{
    return weft_name_get_(weft_thread_self_(t));
}

/* Tell the system about another thread, which is kept from ending. */
static void
tell_system(const struct weft_self *s, const char *cut)
{
    char path[64];

    snprintf(
        path, sizeof(path), "/proc/self/task/%lld/comm",
        (long long)atomic_load_explicit(&s->native_id, memory_order_relaxed));
    const int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return;
    if (write(file, cut, strlen(cut)) < 0) {
        /* It keeps the name it has there. */
    }
    close(file);
}

void
weft_thread_set_name(weft_thread *t, const char *name)
{
    struct weft_self *s = weft_thread_self_(t);
    char cut[WEFT_NAME_SYSTEM_BYTES];

    if (!weft_name_set_(s, name))
        return;
    weft_name_cut_(weft_name_get_(s), cut);
    if (s == weft_self_record_)
        (void)prctl(PR_SET_NAME, cut, 0, 0, 0);
    else if (weft_self_pin_(s)) {
        tell_system(s, cut);
        weft_self_unpin_();
    }
}

uint64_t
weft_thread_id(const weft_thread *t)
{
    return weft_thread_self_(t)->id;
}

int64_t
weft_thread_native_id(const weft_thread *t)
{
    return atomic_load_explicit(&weft_thread_self_(t)->native_id,
                                memory_order_relaxed);
}

bool
weft_thread_is_alive(const weft_thread *t)
{
    return !weft_self_is_gone_(weft_thread_self_(t));
}

bool
weft_thread_is_daemon(const weft_thread *t)
{
    return t->daemon;
}

size_t
weft_thread_count(void)
{
    return weft_self_count_();
}

/* The record after `s`, NULL at the end; the version that goes with it. */
static struct weft_self *
step(const struct weft_self *s, uint64_t *version)
{
    struct weft_self *next = NULL;
    uint64_t after = weft_self_version_();
    unsigned tries = 0;

    do {
        *version = after;
        next = s != NULL ? weft_self_next_(s) : weft_self_first_();
        after = weft_self_version_();
    } while (next == NULL && after != *version && ++tries < LAST_STEPS);
    return next;
}

static bool
is_gone_by(const struct weft_self *s, uint64_t version)
{
    const uint64_t gone = atomic_load_explicit(&s->gone, memory_order_relaxed);

    return gone != 0 && gone <= version;
}

/* Fill `p` and take a handle of each; false if there is no room, or if one
 * could not be had and `strict`. */
static bool
take_picture(struct picture *p, bool strict)
{
    struct weft_self *last = NULL;
    uint64_t version;
    size_t met = 0;
    size_t kept = 0;
    bool whole = true;

    weft_reclaim_enter_();
    for (struct weft_self *s; (s = step(last, &version)) != NULL; last = s) {
        if (met < p->room)
            p->records[met] = s;
        met++;
    }
    if (last != NULL && is_gone_by(last, version))
        version = atomic_load_explicit(&last->gone, memory_order_relaxed);
    for (size_t i = 0; i < met && met <= p->room; i++) {
        struct weft_self *s = p->records[i];
        if (s->born > version || is_gone_by(s, version))
            continue;
        if (weft_self_try_retain_(s))
            p->records[kept++] = s;
        else
            whole = false;
    }
    weft_reclaim_leave_();
    p->count = met <= p->room ? kept : met;
    return met <= p->room && (whole || !strict);
}

static void
drop_picture(const struct picture *p)
{
    for (size_t i = 0; i < p->count; i++)
        weft_thread_release(weft_thread_of_(p->records[i]));
}

/* More room, for as many as were met and some. */
static bool
grow(struct picture *p, struct weft_self **on_stack)
{
    const size_t room = p->count + p->count / 4 + AT_ONCE;

    if (p->records != on_stack)
        free(p->records);
    p->records = malloc(room * sizeof(struct weft_self *));
    p->room = room;
    return p->records != NULL;
}

/* Without memory: the one with the next higher id, and a handle of it. */
static struct weft_self *
next_after(uint64_t id)
{
    weft_reclaim_enter_();
    struct weft_self *s = weft_self_first_();
    while (s != NULL && (s->id <= id || !weft_self_try_retain_(s)))
        s = weft_self_next_(s);
    weft_reclaim_leave_();
    return s;
}

static void
visit_one_by_one(void (*visit)(weft_thread *t, void *ctx), void *ctx)
{
    struct weft_self *s;

    for (uint64_t id = 0; (s = next_after(id)) != NULL;) {
        id = s->id;
        visit(weft_thread_of_(s), ctx);
        weft_thread_release(weft_thread_of_(s));
    }
}

void
weft_thread_enumerate(void (*visit)(weft_thread *t, void *ctx), void *ctx)
{
    struct weft_self *on_stack[AT_ONCE];
    struct picture p = {.records = on_stack, .room = AT_ONCE};

    for (unsigned tries = 1; !take_picture(&p, tries < PICTURES); tries++) {
        if (p.count <= p.room) {
            drop_picture(&p);
        } else if (!grow(&p, on_stack)) {
            visit_one_by_one(visit, ctx);
            return;
        }
    }
    for (size_t i = 0; i < p.count; i++) {
        visit(weft_thread_of_(p.records[i]), ctx);
        weft_thread_release(weft_thread_of_(p.records[i]));
    }
    if (p.records != on_stack)
        free(p.records);
}
