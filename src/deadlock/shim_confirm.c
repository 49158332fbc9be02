/* SPDX-License-Identifier: MIT */
/*
 * shim_confirm.c - threads are held up where a deadlock was predicted.
 *
 * Each thread of the prediction has a slot.  Who comes to the place of a free
 * one takes it and waits for a while, three times in all for a slot: a thread that
 * is held up may keep the others from coming.  When all slots are
 * taken, and each wants what the next one holds, the turn changes and all go on.
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

#define SLOTS   8
#define TIMES   3
#define TRIES   1000
#define LONGEST 8192 /* bytes of a plan */

struct place {
    uint32_t count;
    uintptr_t call[WEFT_DL_PLACES];
};

struct slot {
    struct place held;
    struct place wanted;
    uint32_t times;
    bool is_taken;
    uintptr_t has; /* of the thread that waits in it */
    uintptr_t wants;
};

bool weft_shim_confirming_;
/* How long a slot is waited in: the first time, the second, the third. */
static const int patience_ms[TIMES] = {1000, 300, 100};

static struct slot slots[SLOTS];
static uint32_t slot_count;
static _Atomic bool slots_taken;
static _Atomic uint32_t turn; /* how often all have come */
static const char *path;      /* of the plan */

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
    return read_place(line, &s->held) && read_place(wanted, &s->wanted);
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

/* The free slot that a thread fits into; NULL: none. */
static struct slot *
find_slot(const struct weft_shim_thread *t, const void *object,
          const struct weft_shim_frame *here)
{
    for (uint32_t i = 0; i < slot_count; i++) {
        struct slot *s = &slots[i];
        if (s->is_taken || s->times >= TIMES ||
            !is_called_from(t, &s->wanted, here))
            continue;
        s->has = held_from(t, &s->held);
        s->wants = (uintptr_t)object;
        if (s->has != 0 && s->has != s->wants)
            return s;
    }
    return NULL;
}

static bool
have_all_come(void)
{
    for (uint32_t i = 0; i < slot_count; i++)
        if (!slots[i].is_taken ||
            slots[i].wants != slots[(i + 1) % slot_count].has)
            return false;
    return true;
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
wait_in(struct slot *s, uint32_t now)
{
    const int64_t end = now_ms() + patience_ms[s->times - 1];

    while (now_ms() < end) {
        /* acquire: turn */
        if (atomic_load_explicit(&turn, memory_order_acquire) != now)
            return;
        sleep_ms(1);
    }
    take_slots();
    if (atomic_load_explicit(&turn, memory_order_relaxed) == now)
        s->is_taken = false;
    leave_slots();
}

__attribute__((noinline)) void
weft_shim_hold_up_(struct weft_shim_thread *t, const void *object,
                   const struct weft_shim_frame *here)
{
    const int saved = errno;

    if (t == &weft_shim_nobody_ ||
        atomic_load_explicit(&t->count, memory_order_relaxed) == 0 ||
        !try_slots())
        return;
    struct slot *s = find_slot(t, object, here);
    const uint32_t now = atomic_load_explicit(&turn, memory_order_relaxed);
    if (s != NULL) {
        s->is_taken = true;
        s->times++;
        if (have_all_come()) {
            for (uint32_t i = 0; i < slot_count; i++)
                slots[i].is_taken = false;
            /* release: turn */
            atomic_store_explicit(&turn, now + 1, memory_order_release);
        }
    }
    leave_slots();
    if (s != NULL)
        wait_in(s, now);
    errno = saved;
}

void
weft_shim_confirm_(const struct weft_dl_found *f)
{
    static const char line[] = "confirmed\n";

    if (!weft_shim_confirming_ || f->count != slot_count ||
        atomic_load_explicit(&turn, memory_order_relaxed) == 0)
        return;
    const int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)!write(fd, line, sizeof(line) - 1);
    close(fd);
}
