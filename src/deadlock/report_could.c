/* SPDX-License-Identifier: MIT */
/*
 * report_could.c - a deadlock that could happen, in words.
 *
 * The first thread of the cycle is the one that closed it: its order is the one
 * to change, that of the others was there before.
 */
#include "deadlock/report.h"

#include <inttypes.h>

static const struct weft_dl_thread *
thread_of(const struct weft_dl_report *r, uint32_t i)
{
    return &r->picture->threads[i];
}

static uint32_t
after(const struct weft_dl_report *r, uint32_t t)
{
    const uint32_t next = thread_of(r, t)->next;

    return next != WEFT_DL_NONE ? next : r->found->first;
}

void
weft_dl_write_could_headline_(struct weft_writer *w,
                              const struct weft_dl_found *f)
{
    if (f->level == WEFT_DL_ORDER)
        weft_writer_say_(w,
                         "weft: locks in both orders: %" PRIu32
                         " threads would wait for each other, were they not "
                         "kept apart\n",
                         f->count);
    else
        weft_writer_say_(w,
                         "weft: deadlock that could happen: %" PRIu32
                         " threads would wait for each other\n",
                         f->count);
}

static void
say_wait(struct weft_writer *w, const struct weft_dl_report *r, uint32_t i)
{
    const struct weft_dl_thread *t = thread_of(r, i);
    const uint32_t next = after(r, i);
    const struct weft_dl_held *held = weft_dl_held_of_(r->picture, next, i);

    weft_writer_say_(w, "  ");
    weft_dl_write_thread_(w, t);
    weft_writer_say_(w, " would wait for ");
    weft_dl_write_object_(w, r, t->wait.object, t->wait.kind);
    weft_dl_write_place_(w, r, " in ", &t->wait.place);
    weft_writer_say_(w, held != NULL ? "\n    which " : "\n    needs ");
    weft_dl_write_thread_(w, thread_of(r, next));
    if (held != NULL) {
        weft_writer_say_(w, " holds");
        weft_dl_write_place_(w, r, " since ", &held->place);
    }
    weft_writer_say_(w, "\n");
}

static const struct weft_dl_held *
find_held(const struct weft_dl_thread *t, const void *object)
{
    for (uint32_t i = 0; i < t->held_count; i++)
        if (t->held[i].object == object)
            return &t->held[i];
    return NULL;
}

/* Which order to keep: that which was seen first.  False: it is not a matter of
 * locks, or of places. */
static bool
advise(struct weft_writer *w, const struct weft_dl_report *r)
{
    const uint32_t first = r->found->first;
    const struct weft_dl_thread *t = thread_of(r, first);
    uint32_t last = first;

    while (after(r, last) != first)
        last = after(r, last);
    for (uint32_t i = first; i != WEFT_DL_NONE; i = thread_of(r, i)->next)
        if (weft_dl_held_of_(r->picture, after(r, i), i) == NULL)
            return false;
    const struct weft_dl_thread *other = thread_of(r, last);
    const struct weft_dl_held *held = find_held(t, other->wait.object);
    if (last == first || held == NULL || weft_dl_is_one_place_(r))
        return false;
    weft_writer_say_(w, "take ");
    weft_dl_write_object_(w, r, t->wait.object, t->wait.kind);
    weft_writer_say_(w, " before ");
    weft_dl_write_object_(w, r, held->object, held->kind);
    weft_dl_write_place_(w, r, " in ", &held->place);
    weft_dl_write_place_(w, r, ", too, as in ", &other->wait.place);
    weft_writer_say_(w, ".\n");
    return true;
}

void
weft_dl_write_could_text_(struct weft_writer *w, const struct weft_dl_report *r)
{
    const struct weft_dl_found *f = r->found;

    for (uint32_t i = f->first; i != WEFT_DL_NONE; i = thread_of(r, i)->next) {
        say_wait(w, r, i);
        weft_dl_write_holds_(w, r, thread_of(r, i));
    }
    if (f->doubt != NULL)
        weft_writer_say_(w, "  kept apart in this run: %s\n", f->doubt);
    weft_writer_say_(w, "  To mend it: ");
    if (!advise(w, r))
        weft_dl_write_advice_(w, r);
}
