/* SPDX-License-Identifier: MIT */
/*
 * shim_order.c - the hooks tell what predicts which locks a thread takes.
 *
 * The list of what a thread holds may have a lock in it that another thread has
 * unlocked.  Before the list is told, each is asked whose it is.
 */
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "deadlock/shim_order.h"

#define AT_ONCE 24  /* locks that are told from the stack */
#define MOST    512 /* a thread that holds more tells nothing */

struct weft_order *weft_shim_order_;

/* Where the program's own data is. */
static uintptr_t data_begin;
static size_t data_bytes;

/* --- the graph ------------------------------------------------------------ */

static void *
map(size_t bytes)
{
    const long p =
        syscall(SYS_mmap, NULL, bytes, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, (off_t)0);

    return p != -1 ? (void *)p : NULL;
}

static void
found_one(void *unused)
{
    (void)unused;
    weft_shim_watch_();
    weft_shim_ring_();
}

/* The name of a thread that has not ended. */
static void
name_of(void *unused, uint64_t id, char *name, size_t room)
{
    (void)unused;
    name[0] = '\0';
    for (struct weft_shim_thread *t = weft_shim_first_(); t != NULL;
         t = t->next)
        if (atomic_load_explicit(&t->id, memory_order_relaxed) == id &&
            atomic_load_explicit(&t->state, memory_order_relaxed) !=
                WEFT_SHIM_FREE)
            weft_shim_name_of_(
                atomic_load_explicit(&t->tid, memory_order_relaxed), name,
                room);
}

/* The program comes first. */
static int
find_data(struct dl_phdr_info *program, size_t unused, void *unused_too)
{
    (void)unused;
    (void)unused_too;
    for (size_t i = 0; i < program->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &program->dlpi_phdr[i];
        if (p->p_type != PT_LOAD || (p->p_flags & PF_W) == 0)
            continue;
        data_begin = program->dlpi_addr + p->p_vaddr;
        data_bytes = p->p_memsz;
    }
    return 1;
}

void
weft_shim_order_open_(void)
{
    const struct weft_order_options o = {
        .plain = weft_shim_options_.order,
        .map = map,
        .news = found_one,
        .name_of = name_of,
    };

    dl_iterate_phdr(find_data, NULL);
    if (weft_shim_options_.predict)
        weft_shim_order_ = weft_order_create_(&o);
}

void
weft_shim_order_forked_(struct weft_shim_thread *me)
{
    if (weft_shim_order_ == NULL)
        return;
    weft_order_after_fork_(weft_shim_order_);
    weft_shim_order_ = NULL;
    weft_shim_predict_forked_();
    if (me == NULL || me == &weft_shim_nobody_)
        return;
    me->order.graph = NULL;
    me->order.node = NULL;
    me->order.inside = false;
    weft_shim_order_open_();
    weft_shim_order_begins_(me);
}

/* A handler of a signal may come here while its thread has the lock of the
 * graph: then nothing is told. */
void
weft_shim_forgets_(const void *object, size_t bytes)
{
    weft_order_forgets_by_(&weft_shim_self_()->order, object, bytes);
}

/* --- what a thread holds -------------------------------------------------- */

/* Read an object that may be gone: with a system call, unless it is the
 * program's own data, which stays. */
static bool
peek(const void *object, void *to, size_t bytes)
{
    const uintptr_t at = (uintptr_t)object - data_begin;

    if (at >= data_bytes || data_bytes - at < bytes)
        return weft_shim_peek_gone_(object, to, bytes);
    memcpy(to, object, bytes);
    return true;
}

/* Whether the object agrees that `t` has it. */
static bool
is_held(const struct weft_shim_thread *t, const void *object,
        enum weft_kind kind)
{
    const pid_t tid = atomic_load_explicit(&t->tid, memory_order_relaxed);
    pthread_mutex_t m;
    pthread_rwlock_t l;

    if (kind == WEFT_KIND_SEMAPHORE)
        return weft_shim_sem_is_lock_(object);
    if (kind == WEFT_KIND_MUTEX)
        return peek(object, &m, sizeof(m)) && m.__data.__owner == tid;
    if (kind != WEFT_KIND_READ && kind != WEFT_KIND_WRITE)
        return true;
    if (!peek(object, &l, sizeof(l)))
        return false;
    return kind == WEFT_KIND_WRITE ? l.__data.__cur_writer == tid
                                   : l.__data.__readers >> 3 != 0;
}

void
weft_shim_copy_hold_(struct weft_dl_held *to, const struct weft_shim_hold *from)
{
    to->object =
        (const void *)atomic_load_explicit(&from->object, memory_order_relaxed);
    to->kind =
        (enum weft_kind)atomic_load_explicit(&from->kind, memory_order_relaxed);
    for (int i = 0; i < WEFT_DL_PLACES; i++)
        to->place.call[i] =
            atomic_load_explicit(&from->call[i], memory_order_relaxed);
}

/* Copy the first `n` that `t` holds, without those that it does not, and those
 * that nobody else knows of: these are `own` of the number for all. */
static uint32_t
gather(const struct weft_shim_thread *t, uint32_t n, struct weft_dl_held *held,
       uint64_t *own)
{
    const struct weft_shim_hold *h =
        atomic_load_explicit(&t->held, memory_order_relaxed);
    uint32_t used = 0;

    *own = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct weft_dl_held *d = &held[used];
        weft_shim_copy_hold_(d, &h[i]);
        if (weft_shim_is_own_(t, d->object))
            *own += weft_order_mix_(d->object, d->kind);
        else
            used += is_held(t, d->object, d->kind);
    }
    return used;
}

typedef void (*tell)(struct weft_order_thread *t,
                     const struct weft_dl_held *wanted,
                     const struct weft_dl_held *held, uint32_t held_count);

/* Tell what `t` wants, with the first `n` that it holds. */
static __attribute__((noinline)) void
tell_with(struct weft_shim_thread *t, uint32_t n,
          const struct weft_dl_held *wanted, tell how)
{
    struct weft_dl_held few[AT_ONCE];
    const int saved = errno;
    const size_t bytes = n * sizeof(few[0]);
    uint64_t own;
    if (n > MOST || weft_shim_is_own_(t, wanted->object))
        return;
    struct weft_dl_held *held = n <= AT_ONCE ? few : map(bytes);

    if (held != NULL) {
        const uint32_t used = gather(t, n, held, &own);
        weft_shim_seen_at_(wanted->object);
        for (uint32_t i = 0; i < used; i++)
            weft_shim_seen_at_(held[i].object);
        t->order.set -= own;
        if (used > 0 || how == weft_order_wants_)
            how(&t->order, wanted, held, used);
        t->order.set += own;
        if (held != few)
            syscall(SYS_munmap, held, bytes);
    }
    errno = saved;
}

/* The one that `t` has taken last. */
static __attribute__((noinline)) void
tell_last(struct weft_shim_thread *t)
{
    const struct weft_shim_hold *h =
        atomic_load_explicit(&t->held, memory_order_relaxed);
    const uint32_t n = atomic_load_explicit(&t->count, memory_order_relaxed);
    struct weft_dl_held wanted;

    if (n == 0)
        return;
    weft_shim_copy_hold_(&wanted, &h[n - 1]);
    tell_with(t, n - 1, &wanted, weft_order_wants_);
}

void
weft_shim_orders_(struct weft_shim_thread *t, const void *object,
                  enum weft_kind kind)
{
    const uint32_t n = atomic_load_explicit(&t->count, memory_order_relaxed);

    if (!weft_order_knew_(&t->order, object, kind, n == 1))
        tell_last(t);
}

/* A place, as of something that is held. */
static struct weft_dl_held
placed(struct weft_shim_thread *t, const void *object, enum weft_kind kind,
       const struct weft_shim_frame *here)
{
    struct weft_shim_hold h = {.object = (uintptr_t)object, .kind = kind};
    struct weft_dl_held d;

    weft_shim_place_(t, &h, here);
    weft_shim_copy_hold_(&d, &h);
    return d;
}

bool
weft_shim_asks_(struct weft_shim_thread *t, const void *object,
                enum weft_kind kind, const struct weft_shim_frame *here)
{
    if (weft_order_knows_(&t->order, object, kind) ||
        weft_order_knew_(
            &t->order, object, kind,
            atomic_load_explicit(&t->count, memory_order_relaxed) == 0))
        return false;
    const struct weft_dl_held wanted = placed(t, object, kind, here);
    tell_with(t, atomic_load_explicit(&t->count, memory_order_relaxed), &wanted,
              weft_order_wants_);
    return true;
}

void
weft_shim_awaits_(struct weft_shim_thread *t, const void *object,
                  enum weft_kind kind, const struct weft_shim_frame *here)
{
    const uint32_t n = atomic_load_explicit(&t->count, memory_order_relaxed);

    if (t->order.graph == NULL || n == 0)
        return;
    const struct weft_dl_held wanted = placed(t, object, kind, here);
    tell_with(t, n, &wanted, weft_order_awaits_);
}
