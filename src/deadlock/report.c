/* SPDX-License-Identifier: MIT */
/*
 * report.c - a deadlock in words.
 */
#include "deadlock/report.h"

#include <inttypes.h>
#include <string.h>

#define HELD_SHOWN 8 /* of each thread, the last */

static const struct weft_dl_thread *
thread_of(const struct weft_dl_report *r, uint32_t i)
{
    return &r->picture->threads[i];
}

/* The one that `t`, of the cycle, waits for there. */
static uint32_t
after(const struct weft_dl_report *r, uint32_t t)
{
    const uint32_t next = thread_of(r, t)->next;

    return next != WEFT_DL_NONE ? next : r->found->first;
}

const char *
weft_dl_shape_name_(enum weft_dl_shape shape)
{
    switch (shape) {
    case WEFT_DL_SELF:
        return "self";
    case WEFT_DL_UPGRADE:
        return "upgrade";
    case WEFT_DL_ORPHANED:
        return "orphaned";
    case WEFT_DL_JOINS:
        return "joins";
    case WEFT_DL_CYCLE:
        return "cycle";
    case WEFT_DL_ASLEEP:
        break;
    }
    return "asleep";
}

/* --- places --------------------------------------------------------------- */

static void
add_place(struct weft_symbols *s, const struct weft_dl_place *p)
{
    for (int i = 0; i < WEFT_DL_PLACES && p->call[i] != 0; i++)
        weft_symbols_add_(s, p->call[i]);
}

size_t
weft_dl_count_places_(const struct weft_dl_report *r)
{
    size_t n = 1;
    uint32_t i = r->found->first;

    for (; i != WEFT_DL_NONE; i = thread_of(r, i)->next)
        n += 1 + thread_of(r, i)->held_count;
    if (r->found->ended != WEFT_DL_NONE)
        n += thread_of(r, r->found->ended)->held_count;
    return n * WEFT_DL_PLACES;
}

static void
add_held(const struct weft_dl_thread *t, struct weft_symbols *s)
{
    for (uint32_t i = 0; i < t->held_count; i++)
        add_place(s, &t->held[i].place);
}

void
weft_dl_add_places_(const struct weft_dl_report *r, struct weft_symbols *s)
{
    uint32_t i = r->found->first;

    for (; i != WEFT_DL_NONE; i = thread_of(r, i)->next) {
        add_place(s, &thread_of(r, i)->wait.place);
        add_held(thread_of(r, i), s);
    }
    if (r->found->ended != WEFT_DL_NONE)
        add_held(thread_of(r, r->found->ended), s);
}

/* --- words ---------------------------------------------------------------- */

void
weft_dl_write_thread_(struct weft_writer *w, const struct weft_dl_thread *t)
{
    weft_writer_say_(w, "thread %" PRIu64, t->id);
    if (t->name[0] != '\0')
        weft_writer_say_(w, " \"%s\"", t->name);
}

void
weft_dl_write_object_(struct weft_writer *w, const struct weft_dl_report *r,
                      const void *object, enum weft_kind kind)
{
    const char *name = r->name_of != NULL ? r->name_of(object) : NULL;

    if (kind == WEFT_KIND_THREAD || kind == WEFT_KIND_TIMER)
        weft_writer_say_(w, "the end of a %s", weft_kind_name_(kind));
    else if (name != NULL)
        weft_writer_say_(w, "%s \"%s\"", weft_kind_name_(kind), name);
    else
        weft_writer_say_(w, "%s %p", weft_kind_name_(kind), object);
}

static void
say_call(struct weft_writer *w, const struct weft_dl_report *r, uintptr_t call)
{
    const struct weft_symbol *s =
        r->symbols != NULL ? weft_symbols_get_(r->symbols, call) : NULL;

    if (s == NULL || (s->function[0] == '\0' && s->module[0] == '\0'))
        weft_writer_say_(w, "0x%" PRIxPTR, call);
    else if (s->function[0] == '\0')
        weft_writer_say_(w, "%s+0x%" PRIxPTR, s->module, s->place);
    else if (s->file[0] != '\0')
        weft_writer_say_(w, "%s (%s:%" PRIu32 ")", s->function, s->file,
                         s->line);
    else
        weft_writer_say_(w, "%s (%s+0x%" PRIxPTR ")", s->function, s->module,
                         s->place);
}

/* Whether that call is what starts a thread, or main: of no interest. */
static bool
is_frame_work(const struct weft_dl_report *r, uintptr_t call)
{
    const struct weft_symbol *s =
        r->symbols != NULL ? weft_symbols_get_(r->symbols, call) : NULL;

    return s != NULL && (strncmp(s->module, "libc.so", 7) == 0 ||
                         strncmp(s->module, "libpthread", 10) == 0 ||
                         strncmp(s->module, "libweft", 7) == 0 ||
                         strstr(s->file, "src/thread/thread.c") != NULL);
}

void
weft_dl_write_place_(struct weft_writer *w, const struct weft_dl_report *r,
                     const char *before, const struct weft_dl_place *p)
{
    for (int i = 0; i < WEFT_DL_PLACES && p->call[i] != 0; i++) {
        if (i > 0 && is_frame_work(r, p->call[i]))
            return;
        weft_writer_say_(w, "%s", i == 0 ? before : ", called from ");
        say_call(w, r, p->call[i]);
    }
}

static void
say_wait(struct weft_writer *w, const struct weft_dl_report *r, uint32_t i)
{
    const struct weft_dl_thread *t = thread_of(r, i);
    const struct weft_dl_found *f = r->found;

    weft_writer_say_(w, "  ");
    weft_dl_write_thread_(w, t);
    weft_writer_say_(w, " waits for ");
    weft_dl_write_object_(w, r, t->wait.object, t->wait.kind);
    weft_dl_write_place_(w, r, " in ", &t->wait.place);
    weft_writer_say_(w, "\n");
    if (f->shape == WEFT_DL_ASLEEP)
        return;
    weft_writer_say_(w, "    needs ");
    if (f->shape == WEFT_DL_ORPHANED) {
        weft_dl_write_thread_(w, thread_of(r, f->ended));
        weft_writer_say_(w, ", which has ended\n");
    } else if (f->count == 1 || f->shape == WEFT_DL_UPGRADE) {
        weft_writer_say_(w, "itself\n");
    } else {
        weft_dl_write_thread_(w, thread_of(r, after(r, i)));
        weft_writer_say_(w, "\n");
    }
}

void
weft_dl_write_holds_(struct weft_writer *w, const struct weft_dl_report *r,
                     const struct weft_dl_thread *t)
{
    const uint32_t from =
        t->held_count > HELD_SHOWN ? t->held_count - HELD_SHOWN : 0;

    if (from > 0)
        weft_writer_say_(w, "    holds %" PRIu32 " more\n", from);
    for (uint32_t i = from; i < t->held_count; i++) {
        weft_writer_say_(w, "    holds ");
        weft_dl_write_object_(w, r, t->held[i].object, t->held[i].kind);
        weft_dl_write_place_(w, r, ", taken in ", &t->held[i].place);
        weft_writer_say_(w, "\n");
    }
}

void
weft_dl_write_headline_(struct weft_writer *w, const struct weft_dl_found *f)
{
    if (f->level != WEFT_DL_HAPPENS) {
        weft_dl_write_could_headline_(w, f);
        return;
    }
    weft_writer_say_(w, "weft: %sdeadlock: ", f->certain ? "" : "possible ");
    switch (f->shape) {
    case WEFT_DL_SELF:
        weft_writer_say_(w, "a thread waits for itself\n");
        return;
    case WEFT_DL_UPGRADE:
        weft_writer_say_(w, "a reader wants to write before it lets go\n");
        return;
    case WEFT_DL_ORPHANED:
        weft_writer_say_(w, "who holds the lock has ended\n");
        return;
    case WEFT_DL_JOINS:
        weft_writer_say_(w, "%" PRIu32 " threads join each other\n", f->count);
        return;
    case WEFT_DL_CYCLE:
        weft_writer_say_(w, "%" PRIu32 " threads wait for each other\n",
                         f->count);
        return;
    case WEFT_DL_ASLEEP:
        break;
    }
    weft_writer_say_(w, "everyone who could go on sleeps for good\n");
}

/* --- advice --------------------------------------------------------------- */

static bool
is_lock(enum weft_kind kind)
{
    return kind == WEFT_KIND_MUTEX || kind == WEFT_KIND_RMUTEX ||
           kind == WEFT_KIND_READ || kind == WEFT_KIND_WRITE ||
           kind == WEFT_KIND_SPIN;
}

/* The first thread of the cycle that waits for no lock. */
static uint32_t
find_other_wait(const struct weft_dl_report *r)
{
    uint32_t i = r->found->first;

    while (i != WEFT_DL_NONE && is_lock(thread_of(r, i)->wait.kind))
        i = thread_of(r, i)->next;
    return i;
}

static void
say_wanted(struct weft_writer *w, const struct weft_dl_report *r, uint32_t i)
{
    const struct weft_dl_wait *wait = &thread_of(r, i)->wait;

    weft_dl_write_object_(w, r, wait->object, wait->kind);
}

bool
weft_dl_is_one_place_(const struct weft_dl_report *r)
{
    const uint32_t first = r->found->first;
    const uintptr_t place = thread_of(r, first)->wait.place.call[0];

    for (uint32_t i = thread_of(r, first)->next; i != WEFT_DL_NONE;
         i = thread_of(r, i)->next)
        if (thread_of(r, i)->wait.place.call[0] != place)
            return false;
    return place != 0;
}

/* Each thread of the cycle has what the one before it wants. */
static void
advise_order(struct weft_writer *w, const struct weft_dl_report *r)
{
    uint32_t i = r->found->first;

    weft_writer_say_(w, "take ");
    for (; i != WEFT_DL_NONE; i = thread_of(r, i)->next) {
        say_wanted(w, r, i);
        if (thread_of(r, i)->next != WEFT_DL_NONE)
            weft_writer_say_(w, thread_of(r, thread_of(r, i)->next)->next ==
                                        WEFT_DL_NONE
                                    ? " and "
                                    : ", ");
    }
    weft_writer_say_(w, " in one order in all threads");
    if (weft_dl_is_one_place_(r))
        weft_writer_say_(w, ": one place takes them all, as its callers say; "
                            "let it sort them, by their addresses for "
                            "instance");
    weft_writer_say_(w, ".\n");
}

static void
advise_cycle(struct weft_writer *w, const struct weft_dl_report *r)
{
    const uint32_t other = find_other_wait(r);

    if (other == WEFT_DL_NONE) {
        advise_order(w, r);
        return;
    }
    uint32_t before = other; /* who waits for what `other` keeps meanwhile */
    while (after(r, before) != other)
        before = after(r, before);
    weft_writer_say_(w, "let ");
    weft_dl_write_thread_(w, thread_of(r, other));
    weft_writer_say_(w, " give up what the others need (");
    say_wanted(w, r, before);
    weft_writer_say_(w, ") before it waits for ");
    say_wanted(w, r, other);
    weft_writer_say_(w, ".\n");
}

void
weft_dl_write_advice_(struct weft_writer *w, const struct weft_dl_report *r)
{
    switch (r->found->shape) {
    case WEFT_DL_SELF:
        weft_writer_say_(w, "do not lock again what the thread has locked, or "
                            "use a lock that may be locked again.\n");
        return;
    case WEFT_DL_UPGRADE:
        weft_writer_say_(w, "lock to write from the beginning, or give up the "
                            "read lock first.\n");
        return;
    case WEFT_DL_ORPHANED:
        weft_writer_say_(w, "unlock on every way on which the thread can "
                            "end.\n");
        return;
    case WEFT_DL_JOINS:
        weft_writer_say_(w, "let one thread that is in no circle join the "
                            "others.\n");
        return;
    case WEFT_DL_CYCLE:
        advise_cycle(w, r);
        return;
    case WEFT_DL_ASLEEP:
        break;
    }
    weft_writer_say_(w, "look for the signal, release or arrival that does not "
                        "come: it was never sent, or before anybody waited.\n");
}

void
weft_dl_write_text_(struct weft_writer *w, const struct weft_dl_report *r)
{
    const struct weft_dl_found *f = r->found;

    if (f->level != WEFT_DL_HAPPENS) {
        weft_dl_write_could_text_(w, r);
        return;
    }
    for (uint32_t i = f->first; i != WEFT_DL_NONE; i = thread_of(r, i)->next) {
        say_wait(w, r, i);
        weft_dl_write_holds_(w, r, thread_of(r, i));
    }
    if (f->ended != WEFT_DL_NONE) {
        weft_writer_say_(w, "  ");
        weft_dl_write_thread_(w, thread_of(r, f->ended));
        weft_writer_say_(w, " has ended\n");
        weft_dl_write_holds_(w, r, thread_of(r, f->ended));
    }
    if (f->behind_count > 0)
        weft_writer_say_(w, "  %" PRIu32 " more thread%s behind them\n",
                         f->behind_count,
                         f->behind_count == 1 ? " waits" : "s wait");
    if (!f->certain)
        weft_writer_say_(w, "  not certain: %s\n", f->doubt);
    weft_writer_say_(w, "  To mend it: ");
    weft_dl_write_advice_(w, r);
}
