/* SPDX-License-Identifier: MIT */
/*
 * shim_confirm.c - threads are held up where a deadlock was predicted.
 *
 * Each thread of the prediction has a slot.  Who comes to the place of one waits
 * there for a while.  When there is somebody for each slot, and each wants what
 * the next one holds, these go on together; who else is there waits on, for one
 * place may serve many objects.  A thread that is held up may keep the others
 * from coming, so when ten have waited for nothing at a slot it is closed.
 *
 * Who waits for a thread, a barrier, a condition or a semaphore from 0 needs not
 * what the next one holds, but himself: that one may hold anything.
 *
 * A place is the calls by frame pointers, as far as run and plan both have them:
 * one deep in code without.  Places in libraries that are loaded later are not
 * found.
 *
 * Ordering.
 *
 *     slots      who had the slots before  ->  who has them now
 *     turn       all have come             ->  who waited for that goes on
 */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/writer.h"
#include "deadlock/shim_confirm.h"

#define SLOTS   32 /* and threads that are held up at once */
#define TIMES   10
#define TRIES   1000
#define LONGEST 65536 /* bytes of a plan */

struct place {
    uint32_t count;
    uintptr_t call[WEFT_DL_PLACES];
};

struct slot {
    struct place held; /* count 0: whatever it holds */
    struct place wanted;
    uint32_t times; /* that somebody has waited in vain */
};

/* A thread that is held up. */
struct comer {
    const struct weft_shim_thread *thread; /* NULL: free */
    uint32_t fits;                         /* a bit for each slot */
    uintptr_t wants;
    uintptr_t has[SLOTS]; /* as it would have it in that slot */
    _Atomic bool goes;    /* all have come */
};

bool weft_shim_confirming_;

static struct slot slots[SLOTS];
static uint32_t slot_count;
static _Atomic bool slots_taken;
static struct comer comers[SLOTS];
static struct comer met[SLOTS]; /* who has gone on, by slots */
static _Atomic bool have_met;
static const char *path; /* of the plan */

/* --- writing -------------------------------------------------------------- */

/* The calls up to the first that is in no function. */
static void
write_place(struct weft_writer *w, const struct weft_symbols *symbols,
            const struct weft_dl_place *p)
{
    for (int i = 0; i < WEFT_DL_PLACES && p->call[i] != 0; i++) {
        const struct weft_symbol *s = weft_symbols_get_(symbols, p->call[i]);
        if (s == NULL || s->mapping == 0 || s->function[0] == '\0' ||
            strchr(s->module, ' ') != NULL)
            break;
        weft_writer_say_(w, " %s %lx", s->module, (unsigned long)s->place);
    }
}

void
weft_shim_plan_(const struct weft_dl_report *r)
{
    static struct weft_writer w;
    const char *file = getenv("WEFT_DEADLOCK_PLAN");
    const struct weft_dl_found *f = r->found;
    uint32_t next;

    if (file == NULL || r->symbols == NULL || f->level != WEFT_DL_FEASIBLE)
        return;
    w.fd = open(file, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (w.fd < 0)
        return;
    w.failed = false;
    weft_writer_say_(&w, "prediction\n");
    for (uint32_t i = f->first; i != WEFT_DL_NONE; i = next) {
        next = r->picture->threads[i].next;
        /* What it holds of what the one before it wants. */
        uint32_t before = f->first;
        while (r->picture->threads[before].next !=
               (i == f->first ? WEFT_DL_NONE : i))
            before = r->picture->threads[before].next;
        const struct weft_dl_held *h = weft_dl_held_of_(r->picture, i, before);
        if (h != NULL)
            write_place(&w, r->symbols, &h->place);
        weft_writer_say_(&w, " >");
        write_place(&w, r->symbols, &r->picture->threads[i].wait.place);
        weft_writer_say_(&w, "\n");
    }
    weft_writer_flush_(&w);
    close(w.fd);
}

/* --- reading -------------------------------------------------------------- */

struct module {
    const char *name;
    uintptr_t base;
    bool is_found;
};

/* The program itself has no name there. */
static int
find_module(struct dl_phdr_info *info, size_t bytes, void *arg)
{
    struct module *m = arg;
    char own[4096];
    const char *name = info->dlpi_name;

    (void)bytes;
    if (name[0] == '\0') {
        const ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);
        own[n > 0 ? n : 0] = '\0';
        name = own;
    }
    const char *slash = strrchr(name, '/');
    if (strcmp(slash != NULL ? slash + 1 : name, m->name) != 0)
        return 0;
    m->base = info->dlpi_addr;
    m->is_found = true;
    return 1;
}

/* Read the calls of a place from words; false: it has none that is here. */
static bool
read_place(char *text, struct place *p)
{
    char *rest = NULL;
    char *name = strtok_r(text, " ", &rest);

    p->count = 0;
    while (name != NULL && p->count < WEFT_DL_PLACES) {
        struct module m = {.name = name};
        const char *offset = strtok_r(NULL, " ", &rest);
        dl_iterate_phdr(find_module, &m);
        if (offset == NULL || !m.is_found)
            break;
        p->call[p->count++] = m.base + strtoull(offset, NULL, 16);
        name = strtok_r(NULL, " ", &rest);
    }
    return p->count > 0;
}

static bool
read_line(char *line)
{
    char *wanted = strchr(line, '>');

    if (wanted == NULL || slot_count == SLOTS)
        return false;
    *wanted++ = '\0';
    struct slot *s = &slots[slot_count++];
    const bool holds = line[strspn(line, " ")] != '\0';
    return (read_place(line, &s->held) || !holds) &&
           read_place(wanted, &s->wanted);
}

void
weft_shim_read_plan_(void)
{
    static char text[LONGEST];
    char *rest = NULL;

    path = getenv("WEFT_DEADLOCK_CONFIRM");
    const int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    const ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest))
        if (!read_line(line))
            return;
    weft_shim_confirming_ = slot_count > 1;
}

/* --- holding up ----------------------------------------------------------- */

static void
take_slots(void)
{
    /* acquire: slots */
    while (atomic_exchange_explicit(&slots_taken, true, memory_order_acquire))
        sched_yield();
}

/* Give up where that takes long: the thread may have been interrupted while it
 * had them, and this be the handler of a signal. */
static bool
try_slots(void)
{
    for (int i = 0; i < TRIES; i++) {
        /* acquire: slots */
        if (!atomic_exchange_explicit(&slots_taken, true, memory_order_acquire))
            return true;
        sched_yield();
    }
    return false;
}

static void
leave_slots(void)
{
    /* release: slots */
    atomic_store_explicit(&slots_taken, false, memory_order_release);
}

/* Whether the calls of a hook are those of a place. */
static bool
is_called_from(const struct weft_shim_thread *t, const struct place *p,
               const struct weft_shim_frame *f)
{
    struct weft_shim_hold h;

    if (f->back - 1 != p->call[0])
        return false;
    weft_shim_place_((struct weft_shim_thread *)(uintptr_t)t, &h, f);
    for (uint32_t i = 1; i < p->count; i++)
        if (atomic_load_explicit(&h.call[i], memory_order_relaxed) !=
            p->call[i])
            return false;
    return true;
}

/* What `t` holds that was taken at a place; 0: nothing. */
static uintptr_t
held_from(const struct weft_shim_thread *t, const struct place *p)
{
    const struct weft_shim_hold *h =
        atomic_load_explicit(&t->held, memory_order_relaxed);
    uint32_t n = atomic_load_explicit(&t->count, memory_order_relaxed);

    while (n-- > 0) {
        uint32_t i = 0;
        while (i < p->count &&
               atomic_load_explicit(&h[n].call[i], memory_order_relaxed) ==
                   p->call[i])
            i++;
        if (i == p->count)
            return atomic_load_explicit(&h[n].object, memory_order_relaxed);
    }
    return 0;
}

/* How long the next one waits in a slot. */
static int
patience_ms(const struct slot *s)
{
    if (s->times == 0)
        return 1000;
    return s->times == 1 ? 300 : 100;
}

/* Note which slots a thread fits into; returns how long it is to wait in one of
 * them, 0: it fits into none. */
static int
describe(struct comer *c, const struct weft_shim_thread *t, uintptr_t object,
         const struct weft_shim_frame *here)
{
    int longest = 0;

    c->fits = 0;
    c->wants = object;
    for (uint32_t i = 0; i < slot_count; i++) {
        const struct slot *s = &slots[i];
        if (s->times >= TIMES || !is_called_from(t, &s->wanted, here))
            continue;
        c->has[i] = s->held.count > 0 ? held_from(t, &s->held) : 0;
        if (s->held.count > 0 && (c->has[i] == 0 || c->has[i] == object))
            continue;
        c->fits |= UINT32_C(1) << i;
        if (patience_ms(s) > longest)
            longest = patience_ms(s);
    }
    return longest;
}

/* Whether who is in slot `i` wants what the one in the next has; or is in need
 * of that thread, whatever it has. */
static bool
wants_next(const struct comer *c, const struct comer *next, uint32_t i)
{
    const uint32_t k = (i + 1) % slot_count;

    return slots[k].held.count == 0 || c->wants == next->has[k];
}

/* Choose who is in the slots from the `i`-th. */
static bool
choose(struct comer *in[SLOTS], uint32_t i)
{
    if (i == slot_count)
        return wants_next(in[i - 1], in[0], i - 1);
    for (uint32_t n = 0; n < SLOTS; n++) {
        uint32_t k = 0;
        in[i] = &comers[n];
        while (in[k] != in[i])
            k++;
        if (k == i && in[i]->thread != NULL && (in[i]->fits >> i & 1) != 0 &&
            (i == 0 || wants_next(in[i - 1], in[i], i - 1)) &&
            choose(in, i + 1))
            return true;
    }
    return false;
}

/* If all have come, let them go on. */
static void
let_go(void)
{
    struct comer *in[SLOTS];

    if (!choose(in, 0))
        return;
    for (uint32_t i = 0; i < slot_count; i++) {
        met[i].thread = in[i]->thread;
        met[i].wants = in[i]->wants;
        in[i]->fits = 0;
        /* release: turn */
        atomic_store_explicit(&in[i]->goes, true, memory_order_release);
    }
    atomic_store_explicit(&have_met, true, memory_order_relaxed);
}

static void
sleep_ms(long ms)
{
    const struct timespec t = {0, ms * 1000000};

    syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &t, NULL);
}

static int64_t
now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
wait_as(struct comer *c, int most_ms)
{
    const int64_t end = now_ms() + most_ms;

    /* acquire: turn */
    while (!atomic_load_explicit(&c->goes, memory_order_acquire) &&
           now_ms() < end)
        sleep_ms(1);
    take_slots();
    for (uint32_t i = 0; i < slot_count; i++)
        slots[i].times += c->fits >> i & 1;
    c->thread = NULL;
    leave_slots();
}

__attribute__((noinline)) void
weft_shim_hold_up_(struct weft_shim_thread *t, const void *object,
                   const struct weft_shim_frame *here)
{
    const int saved = errno;
    struct comer *c = comers;

    if (t == &weft_shim_nobody_ || !try_slots())
        return;
    while (c < comers + SLOTS && c->thread != NULL)
        c++;
    const int most_ms =
        c < comers + SLOTS ? describe(c, t, (uintptr_t)object, here) : 0;
    if (most_ms > 0) {
        c->thread = t;
        atomic_store_explicit(&c->goes, false, memory_order_relaxed);
        let_go();
    }
    leave_slots();
    if (most_ms > 0)
        wait_as(c, most_ms);
    errno = saved;
}

/* Whether a thread is stuck where it went on to. */
static bool
is_stuck(const struct weft_shim_picture *p, const struct comer *c)
{
    for (uint32_t i = 0; i < p->p.count; i++)
        if (p->record[i] == c->thread)
            return p->p.threads[i].stuck &&
                   (uintptr_t)p->p.threads[i].wait.object == c->wants;
    return false;
}

void
weft_shim_confirm_(const struct weft_shim_picture *p)
{
    static const char line[] = "confirmed\n";
    bool all = true;

    if (!weft_shim_confirming_ ||
        !atomic_load_explicit(&have_met, memory_order_relaxed))
        return;
    take_slots();
    for (uint32_t i = 0; i < slot_count; i++)
        all = all && is_stuck(p, &met[i]);
    leave_slots();
    const int fd = all ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    (void)!write(fd, line, sizeof(line) - 1);
    close(fd);
}
