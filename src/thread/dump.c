/* SPDX-License-Identifier: MIT */
/*
 * dump.c - the text about all threads.
 *
 * Who calls this has a program that hangs, so the order is: who waits for whom,
 * which needs no names of functions and is written out before they are looked
 * for; then the threads, each with all that is known of it.
 *
 * A dump calls no malloc and takes no lock but its own, which only other dumps
 * hold.  See base/symbol.c for the part that needs more.
 */
#include <weft/dump.h>

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/symbol.h"
#include "base/writer.h"
#include "thread/snapshot.h"

#define NAMES_MS 4000 /* for the names of functions, files and lines */

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

/* What a dump needs; in a mapping. */
struct dump {
    struct weft_writer out;
    struct weft_snapshot *threads;
    struct weft_symbols *symbols; /* NULL: no memory */
    int64_t now;
};

static void
say_who(struct weft_writer *w, const struct weft_view *v)
{
    if (v->id != 0)
        weft_writer_say_(w, "thread %" PRIu64 " \"%s\"", v->id, v->name);
    else
        weft_writer_say_(w, "thread \"%s\"", v->name);
}

static void
say_lock(struct weft_writer *w, struct weft_lock_view l)
{
    weft_writer_say_(w, "%s %p", weft_kind_name_(l.kind), l.object);
}

static void
say_until(struct dump *d, const struct weft_view *v)
{
    const int64_t left = v->waits_until - d->now;

    if (v->waits_until == WEFT_FOREVER)
        weft_writer_say_(&d->out, " without a deadline");
    else if (left >= 0)
        weft_writer_say_(&d->out, " for at most %.3f s more",
                         (double)left / 1e9);
    else
        weft_writer_say_(&d->out, " until %.3f s ago", (double)-left / 1e9);
}

/* Whether `v` has noted that it holds `object`. */
static bool
is_noted(const struct weft_view *v, const void *object)
{
    for (uint32_t i = 0; i < v->held_count && i < WEFT_HELD_MAX; i++)
        if (v->held[i].object == object)
            return true;
    return false;
}

/* Who has noted that it holds `l`, of those that cannot be asked for an owner:
 * the readers of a lock, the takers of a semaphore's units. */
static void
say_holders(struct dump *d, struct weft_lock_view l)
{
    const struct weft_snapshot *s = d->threads;
    const char *before = ", held by ";

    for (size_t i = 0; i < s->count; i++)
        if (is_noted(&s->list[i], l.object)) {
            weft_writer_say_(&d->out, "%s", before);
            say_who(&d->out, &s->list[i]);
            before = ", ";
        }
}

static void
say_owner(struct dump *d, const struct weft_view *v)
{
    struct weft_writer *w = &d->out;

    if (v->owner == 0) {
        say_holders(d, v->waits_for);
        return;
    }
    weft_writer_say_(w, v->waits_for.kind == WEFT_KIND_THREAD ? ", which is "
                                                              : ", held by ");
    if (v->owner == v->id)
        weft_writer_say_(w, "itself");
    else if (v->owner_view != NULL)
        say_who(w, v->owner_view);
    else
        weft_writer_say_(w, "thread %" PRIu64 ", which has ended", v->owner);
}

static void
say_wait(struct dump *d, const struct weft_view *v)
{
    weft_writer_say_(&d->out, "waits for ");
    say_lock(&d->out, v->waits_for);
    say_until(d, v);
    say_owner(d, v);
}

/* Whom `v` waits for, if that is one thread and it waits without an end. */
static const struct weft_view *
next_in_circle(const struct weft_view *v)
{
    return v->waits_still && v->waits_until == WEFT_FOREVER ? v->owner_view
                                                            : NULL;
}

/* Whether `v` is in a circle and has the lowest id in it: each is told once. */
static bool
begins_circle(const struct weft_snapshot *s, const struct weft_view *v)
{
    const struct weft_view *at = next_in_circle(v);

    for (size_t i = 0; i < s->count && at != NULL && at != v; i++) {
        if (at->id < v->id)
            return false;
        at = next_in_circle(at);
    }
    return at == v;
}

static void
say_circle(struct dump *d, const struct weft_view *v)
{
    const struct weft_view *at = v;

    weft_writer_say_(&d->out, "  DEADLOCK: ");
    do {
        weft_writer_say_(&d->out, "thread %" PRIu64 " -> ", at->id);
        at = next_in_circle(at);
    } while (at != v);
    weft_writer_say_(&d->out, "thread %" PRIu64 ": each waits for the next\n",
                     v->id);
}

static void
say_waits(struct dump *d)
{
    const struct weft_snapshot *s = d->threads;
    bool some = false;

    for (size_t i = 0; i < s->count; i++) {
        const struct weft_view *v = &s->list[i];
        if (v->waits_for.object == NULL)
            continue;
        weft_writer_say_(&d->out, some ? "  " : "\nWho waits\n  ");
        some = true;
        say_who(&d->out, v);
        weft_writer_say_(&d->out, " ");
        say_wait(d, v);
        weft_writer_say_(&d->out, "\n");
    }
    for (size_t i = 0; i < s->count; i++)
        if (begins_circle(s, &s->list[i]))
            say_circle(d, &s->list[i]);
    for (size_t i = 0; i < s->count; i++)
        if (s->list[i].owner != 0 && s->list[i].owner_view == NULL &&
            s->list[i].waits_for.kind != WEFT_KIND_THREAD)
            weft_writer_say_(&d->out,
                             "  LOST: %s %p was held by thread %" PRIu64
                             " when that ended; nobody can unlock it\n",
                             weft_kind_name_(s->list[i].waits_for.kind),
                             s->list[i].waits_for.object, s->list[i].owner);
}

static void
say_kernel_state(struct weft_writer *w, const struct weft_task *t)
{
    switch (t->state) {
    case 0:
    case 'Z':
    case 'X':
        weft_writer_say_(w, "has ended or not begun");
        return;
    case 'R':
        weft_writer_say_(w, "runs");
        return;
    case 'T':
    case 't':
        weft_writer_say_(w, "is stopped");
        return;
    default:
        weft_writer_say_(w, "sleeps in the kernel");
    }
    if (t->system_call >= 0)
        weft_writer_say_(w, ", system call %d", t->system_call);
    if (t->wchan[0] != '\0')
        weft_writer_say_(w, " (%s)", t->wchan);
}

/* A lock that `v` holds, and who waits for it. */
static void
say_held(struct dump *d, struct weft_lock_view l)
{
    const struct weft_snapshot *s = d->threads;

    weft_writer_say_(&d->out, "    holds ");
    say_lock(&d->out, l);
    const char *before = "; waited for by ";
    for (size_t i = 0; i < s->count; i++)
        if (s->list[i].waits_for.object == l.object) {
            weft_writer_say_(&d->out, "%s", before);
            say_who(&d->out, &s->list[i]);
            before = ", ";
        }
    weft_writer_say_(&d->out, "\n");
}

/* Whether an earlier thread waits for the same. */
static bool
was_told(const struct weft_snapshot *s, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (s->list[k].waits_for.object == s->list[i].waits_for.object)
            return true;
    return false;
}

/* What its record says, and what others wait for and is known to be its. */
static void
say_all_held(struct dump *d, const struct weft_view *v)
{
    const struct weft_snapshot *s = d->threads;

    for (uint32_t i = 0; i < v->held_count && i < WEFT_HELD_MAX; i++)
        say_held(d, v->held[i]);
    if (v->held_count > WEFT_HELD_MAX)
        weft_writer_say_(&d->out, "    holds %u more\n",
                         v->held_count - WEFT_HELD_MAX);
    for (size_t i = 0; i < s->count; i++)
        if (s->list[i].owner_view == v &&
            s->list[i].waits_for.kind != WEFT_KIND_THREAD &&
            !is_noted(v, s->list[i].waits_for.object) && !was_told(s, i))
            say_held(d, s->list[i].waits_for);
}

static void
say_call(struct dump *d, uint32_t number, uintptr_t address)
{
    const struct weft_symbol *y =
        d->symbols != NULL ? weft_symbols_get_(d->symbols, address) : NULL;

    weft_writer_say_(&d->out, "    #%-2u ", number);
    if (y == NULL || y->mapping == 0) {
        weft_writer_say_(&d->out, "%#" PRIxPTR "\n", address);
        return;
    }
    weft_writer_say_(&d->out, "%s", y->function[0] != '\0' ? y->function : "?");
    if (y->line != 0)
        weft_writer_say_(&d->out, " at %s:%u", y->file, y->line);
    weft_writer_say_(&d->out, "  (%s+%#" PRIxPTR ")\n", y->module, y->place);
}

static void
say_stack(struct dump *d, const struct weft_view *v)
{
    switch (v->answer) {
    case WEFT_ANSWERED:
        for (uint32_t i = 0; i < v->stack.count; i++)
            say_call(d, i, v->stack.calls[i]);
        if (v->stack.cut)
            weft_writer_say_(&d->out, "    and more\n");
        break;
    case WEFT_BLOCKS_SIGNAL:
        weft_writer_say_(&d->out, "    no stack: it blocks the signal that "
                                  "asks for it\n");
        break;
    case WEFT_SILENT:
        weft_writer_say_(&d->out, "    no stack: no answer\n");
        break;
    case WEFT_NO_SIGNAL:
        weft_writer_say_(&d->out, "    no stack: no real-time signal is free "
                                  "(WEFT_STACK_SIGNAL names one)\n");
        break;
    case WEFT_GONE:
        break;
    }
}

static void
say_thread(struct dump *d, const struct weft_view *v)
{
    weft_writer_say_(&d->out, "\n");
    if (v->id != 0)
        weft_writer_say_(&d->out, "Thread %" PRIu64 " \"%s\"", v->id, v->name);
    else
        weft_writer_say_(&d->out, "Thread \"%s\", not known to Weft", v->name);
    weft_writer_say_(&d->out, ", native id %d%s: ", (int)v->native_id,
                     v->is_daemon ? ", daemon" : "");
    if (v->is_caller)
        weft_writer_say_(&d->out, "writes this");
    else if (v->waits_for.object != NULL)
        say_wait(d, v);
    else
        say_kernel_state(&d->out, &v->task);
    weft_writer_say_(&d->out, "\n");
    say_all_held(d, v);
    say_stack(d, v);
}

/* Gather all addresses and find their names. */
static void
find_names(struct dump *d)
{
    const struct weft_snapshot *s = d->threads;
    size_t n = 0;

    for (size_t i = 0; i < s->count; i++)
        n += s->list[i].stack.count;
    d->symbols = weft_symbols_create_(n);
    if (d->symbols == NULL)
        return;
    for (size_t i = 0; i < s->count; i++)
        for (uint32_t k = 0; k < s->list[i].stack.count; k++)
            weft_symbols_add_(d->symbols, s->list[i].stack.calls[k]);
    weft_symbols_find_(d->symbols, weft_in_ms(NAMES_MS));
}

static void
say_all(struct dump *d)
{
    const struct weft_snapshot *s = d->threads;

    weft_writer_say_(&d->out, "Weft: process %d has %zu thread%s\n",
                     (int)getpid(), s->count, s->count == 1 ? "" : "s");
    say_waits(d);
    weft_writer_flush_(&d->out);
    if (d->out.failed)
        return;
    find_names(d);
    for (size_t i = 0; i < s->count; i++)
        say_thread(d, &s->list[i]);
    if (s->cut)
        weft_writer_say_(&d->out, "\nAnd threads that started meanwhile.\n");
    if (!weft_watching_())
        weft_writer_say_(&d->out,
                         "\nLocks that nobody waits for are not listed: "
                         "WEFT_WATCH=1 in the environment notes them.\n");
    weft_writer_flush_(&d->out);
    weft_symbols_destroy_(d->symbols);
}

__attribute__((noinline)) void
weft_thread_dump_stacks(int fd)
{
    const int saved = errno;
    struct weft_stack own;
    struct dump *d = mmap(NULL, sizeof(*d), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    weft_stack_capture_(&own, 0);
    if (d != MAP_FAILED) {
        d->out.fd = fd;
        pthread_mutex_lock(&one_at_a_time);
        d->threads = weft_snapshot_take_(&own);
        pthread_mutex_unlock(&one_at_a_time);
        d->now = weft_clock_ns_();
        if (d->threads != NULL)
            say_all(d);
        weft_snapshot_free_(d->threads);
        munmap(d, sizeof(*d));
    }
    errno = saved;
}

/* The child's one thread is in no dump. */
static void
in_child(void)
{
    pthread_mutex_init(&one_at_a_time, NULL);
    weft_stacks_forked_();
}

__attribute__((constructor)) static void
register_fork_handler(void)
{
    (void)pthread_atfork(NULL, NULL, in_child);
}
