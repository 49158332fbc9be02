/* SPDX-License-Identifier: MIT */
/*
 * shim_picture.c - a picture of all threads, for find.h.
 *
 * Who has what is asked of the objects where glibc keeps it in them: a mutex
 * has the number of its owner, a read-write lock that of its writer and how many
 * read it.  The records say where, and who the readers are.  An object that
 * contradicts the records (more readers noted than there are, an owner nobody
 * knows) makes its waiters ones that are never stuck.
 *
 * Who waits for a condition may have been woken and now wait for the mutex.
 * glibc takes it out of the count in the condition before that, so when the count
 * is 0 all of them do.
 *
 * Ordering.  See shim_record.c.
 *
 *     shim.wait   a thread has written what it waits for  ->  it is read here
 *     shim.longer a list of held locks has been copied    ->  it is read here
 */
#include <string.h>
#include <unistd.h>

#include "deadlock/shim_order.h"
#include "deadlock/shim_parties.h"

#define NEEDS 64   /* of one wait: some may be left out */
#define HOLDS 1024 /* of one thread */

/* Bits in the kind of a mutex of glibc. */
#define ROBUST 16
#define SHARED 128 /* with other processes */

static bool
make_room(void *list, size_t *room, size_t wanted, size_t bytes)
{
    void *old = *(void **)list;

    if (wanted <= *room)
        return true;
    wanted += wanted / 2;
    void *fresh = weft_shim_map_(wanted * bytes);
    if (fresh == NULL)
        return false;
    if (old != NULL)
        weft_shim_unmap_(old, *room * bytes);
    *(void **)list = fresh;
    *room = wanted;
    return true;
}

static void
copy_place(struct weft_dl_place *to, const _Atomic uintptr_t *from)
{
    for (int i = 0; i < WEFT_DL_PLACES; i++)
        to->call[i] = atomic_load_explicit(&from[i], memory_order_relaxed);
}

/* Copy what a thread holds. */
static void
copy_holds(struct weft_shim_picture *p, struct weft_dl_thread *d,
           const struct weft_shim_thread *t)
{
    uint32_t n = atomic_load_explicit(&t->count, memory_order_relaxed);
    /* acquire: shim.longer */
    const struct weft_shim_hold *h =
        atomic_load_explicit(&t->held, memory_order_acquire);

    if (n > HOLDS)
        n = HOLDS;
    if (n > p->held_room - p->held_used)
        n = (uint32_t)(p->held_room - p->held_used);
    d->held = &p->held[p->held_used];
    d->held_count = n;
    for (uint32_t i = 0; i < n; i++) {
        struct weft_dl_held *to = &p->held[p->held_used++];
        to->object = (const void *)atomic_load_explicit(&h[i].object,
                                                        memory_order_relaxed);
        to->kind = (enum weft_kind)atomic_load_explicit(&h[i].kind,
                                                        memory_order_relaxed);
        copy_place(&to->place, h[i].call);
        if (to->kind == WEFT_KIND_SEMAPHORE &&
            !weft_shim_sem_is_lock_(to->object)) {
            p->held_used--; /* it was none all the time */
            d->held_count--;
        }
    }
}

/* Read what a thread waits for; it runs if that changes meanwhile. */
static void
copy_wait(struct weft_shim_picture *p, uint32_t i,
          const struct weft_shim_thread *t)
{
    struct weft_dl_thread *d = &p->p.threads[i];
    /* acquire: shim.wait */
    const uint64_t s = atomic_load_explicit(&t->sequence, memory_order_acquire);

    d->wait = (struct weft_dl_wait){.sequence = s};
    d->wait.object =
        (const void *)atomic_load_explicit(&t->object, memory_order_relaxed);
    d->wait.kind =
        (enum weft_kind)atomic_load_explicit(&t->kind, memory_order_relaxed);
    copy_place(&d->wait.place, t->call);
    d->since = atomic_load_explicit(&t->since, memory_order_relaxed);
    p->guard[i] = atomic_load_explicit(&t->guard, memory_order_relaxed);
    const bool timed = atomic_load_explicit(&t->timed, memory_order_relaxed);
    /* acquire: shim.wait.  The words were read before the number is again. */
    atomic_thread_fence(memory_order_acquire);
    if (s % 2 == 0 ||
        s != atomic_load_explicit(&t->sequence, memory_order_relaxed))
        return;
    d->state = timed ? WEFT_DL_TIMED : WEFT_DL_BLOCKED;
}

static void
copy_thread(struct weft_shim_picture *p, uint32_t i, struct weft_shim_thread *t)
{
    struct weft_dl_thread *d = &p->p.threads[i];
    const uint32_t state =
        atomic_load_explicit(&t->state, memory_order_relaxed);

    memset(d, 0, sizeof(*d));
    p->record[i] = t;
    p->tid[i] = atomic_load_explicit(&t->tid, memory_order_relaxed);
    p->self[i] = atomic_load_explicit(&t->self, memory_order_relaxed);
    d->id = atomic_load_explicit(&t->id, memory_order_relaxed);
    d->state = WEFT_DL_RUNS;
    if ((state == WEFT_SHIM_ENDING || !t->started) && weft_shim_is_gone_(t))
        d->state = WEFT_DL_ENDED;
    else
        copy_wait(p, i, t);
    if (state == WEFT_SHIM_ENDING && d->state != WEFT_DL_ENDED)
        p->again = true;
    copy_holds(p, d, t);
}

/* --- whom a wait needs ---------------------------------------------------- */

static void
add_need(struct weft_shim_picture *p, struct weft_dl_thread *d, uint32_t i)
{
    uint32_t *needs = &p->needs[(size_t)(d - p->p.threads) * NEEDS];

    d->wait.needs = needs;
    if (d->wait.needs_count < NEEDS)
        needs[d->wait.needs_count++] = i;
}

static uint32_t
count_holds(const struct weft_dl_thread *d, const void *object,
            enum weft_kind kind)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < d->held_count; i++)
        n += d->held[i].object == object && d->held[i].kind == kind;
    return n;
}

/* The thread of this number has it; one that has ended, if its notes say so. */
static void
need_owner(struct weft_shim_picture *p, struct weft_dl_thread *d, pid_t tid,
           enum weft_kind kind)
{
    uint32_t found = WEFT_DL_NONE;

    if (tid == 0)
        return;
    for (uint32_t i = 0; i < p->p.count; i++) {
        const struct weft_dl_thread *x = &p->p.threads[i];
        if (p->tid[i] != tid)
            continue;
        if (x->state != WEFT_DL_ENDED) {
            found = i;
            break;
        }
        if (count_holds(x, d->wait.object, kind) > 0)
            found = i;
    }
    if (found != WEFT_DL_NONE)
        add_need(p, d, found);
    else
        d->wait.outside = true;
}

/* Everyone whose notes say that he has it; returns how many times that is. */
static uint32_t
need_holders(struct weft_shim_picture *p, struct weft_dl_thread *d,
             enum weft_kind kind)
{
    uint32_t times = 0;

    for (uint32_t i = 0; i < p->p.count; i++) {
        const uint32_t n = count_holds(&p->p.threads[i], d->wait.object, kind);
        times += n;
        if (n > 0)
            add_need(p, d, i);
    }
    return times;
}

static void
wait_mutex(struct weft_shim_picture *p, struct weft_dl_thread *d)
{
    pthread_mutex_t m;

    /* A robust one is marked as shared, even if it is not: its owner decides. */
    if (!weft_shim_peek_(d->wait.object, &m, sizeof(m)) ||
        (m.__data.__kind & (SHARED | ROBUST)) == SHARED)
        d->wait.outside = true;
    else
        need_owner(p, d, m.__data.__owner, WEFT_KIND_MUTEX);
}

/* Whether somebody else waits to write. */
static void
need_writers(struct weft_shim_picture *p, struct weft_dl_thread *d)
{
    for (uint32_t i = 0; i < p->p.count; i++) {
        const struct weft_dl_thread *x = &p->p.threads[i];
        if (x != d &&
            (x->state == WEFT_DL_BLOCKED || x->state == WEFT_DL_TIMED) &&
            x->wait.object == d->wait.object && x->wait.kind == WEFT_KIND_WRITE)
            add_need(p, d, i);
    }
}

static void
wait_rwlock(struct weft_shim_picture *p, struct weft_dl_thread *d)
{
    pthread_rwlock_t l;

    if (!weft_shim_peek_(d->wait.object, &l, sizeof(l)) ||
        l.__data.__shared != 0) {
        d->wait.outside = true;
        return;
    }
    const uint32_t readers = l.__data.__readers >> 3;
    if (l.__data.__cur_writer != 0)
        need_owner(p, d, l.__data.__cur_writer, WEFT_KIND_WRITE);
    else if (readers > 0 && d->wait.kind == WEFT_KIND_WRITE)
        d->wait.outside = need_holders(p, d, WEFT_KIND_READ) > readers;
    else if (readers > 0 &&
             l.__data.__flags == PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP)
        need_writers(p, d);
}

static void
wait_spin(struct weft_shim_picture *p, struct weft_dl_thread *d)
{
    pthread_spinlock_t free_one;
    int s;

    pthread_spin_init(&free_one, PTHREAD_PROCESS_PRIVATE);
    if (!weft_shim_peek_(d->wait.object, &s, sizeof(s)))
        d->wait.outside = true;
    else if (s != free_one)
        d->wait.outside = need_holders(p, d, WEFT_KIND_SPIN) != 1;
}

static void
wait_join(struct weft_shim_picture *p, struct weft_dl_thread *d)
{
    uint32_t found = WEFT_DL_NONE;

    for (uint32_t i = 0; i < p->p.count; i++)
        if (p->self[i] == (pthread_t)d->wait.object &&
            (found == WEFT_DL_NONE ||
             p->p.threads[i].id > p->p.threads[found].id))
            found = i;
    if (found == WEFT_DL_NONE)
        d->wait.outside = true;
    else if (p->p.threads[found].state != WEFT_DL_ENDED)
        add_need(p, d, found);
}

static void
wait_cond(struct weft_shim_picture *p, uint32_t i)
{
    struct weft_dl_thread *d = &p->p.threads[i];
    pthread_cond_t c;

    d->wait.rule = WEFT_DL_ANYBODY;
    p->conditions = true;
    if (p->guard[i] == 0) /* the elder kind */
        return;
    if (!weft_shim_peek_(d->wait.object, &c, sizeof(c)) ||
        (c.__data.__wrefs & 1) != 0) {
        d->wait.outside = true;
        return;
    }
    if (c.__data.__wrefs >> 3 != 0)
        return;
    d->state = WEFT_DL_BLOCKED; /* a deadline is none for the mutex */
    d->wait.rule = WEFT_DL_ALL;
    d->wait.object = (const void *)p->guard[i];
    d->wait.kind = WEFT_KIND_MUTEX;
    wait_mutex(p, d);
}

/* A semaphore or a barrier: who can end the wait is not known.  `shared` is
 * which of its words says that other processes have it, too. */
static void
wait_anybody(struct weft_shim_picture *p, struct weft_dl_thread *d, int shared)
{
    int words[4];

    d->wait.rule = WEFT_DL_ANYBODY;
    if (!weft_shim_peek_(d->wait.object, words, sizeof(words)) ||
        words[shared] != 0)
        d->wait.outside = true;
    else if (d->wait.kind == WEFT_KIND_SEMAPHORE &&
             (words[0] != 0 || p->catches))
        d->wait.outside = true; /* there is one; or a handler may post */
}

/* One that is a lock so far is posted by who has it; another could, as none has
 * done before.  Who has ended with it is no case for that: it was more than a
 * lock. */
static void
wait_semaphore(struct weft_shim_picture *p, struct weft_dl_thread *d)
{
    wait_anybody(p, d, 2);
    if (d->wait.outside || !weft_shim_sem_is_lock_(d->wait.object))
        return;
    need_holders(p, d, WEFT_KIND_SEMAPHORE);
    if (d->wait.needs_count == 1 &&
        p->p.threads[d->wait.needs[0]].state != WEFT_DL_ENDED)
        d->wait.rule = WEFT_DL_ONE_OF;
    else
        d->wait.needs_count = 0;
}

/* Whether a thread has started others. */
static bool
starts(const struct weft_shim_picture *p, uint32_t i)
{
    return atomic_load_explicit(&p->record[i]->starts, memory_order_relaxed);
}

/* One that the same threads have always met at needs one of them that is not
 * there, or a new one, which somebody starts who has started some before. */
static void
wait_barrier(struct weft_shim_picture *p, struct weft_dl_thread *d)
{
    const void *b = d->wait.object;

    wait_anybody(p, d, 3);
    if (d->wait.outside || !weft_shim_has_parties_(b))
        return;
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < p->p.count; i++) {
            const struct weft_dl_thread *x = &p->p.threads[i];
            const bool is_party = weft_shim_is_party_(b, x->id);
            if ((x->state == WEFT_DL_BLOCKED && x->wait.object == b) ||
                is_party != (pass == 0))
                continue;
            if (!is_party && (x->state == WEFT_DL_ENDED || !starts(p, i)))
                continue;
            add_need(p, d, i);
            d->wait.bystanders += !is_party;
        }
    if (d->wait.needs_count > 0 && d->wait.needs_count < NEEDS)
        d->wait.rule = WEFT_DL_ONE_OF;
    else
        d->wait.needs_count = d->wait.bystanders = 0;
}

static void
find_needs(struct weft_shim_picture *p, uint32_t i)
{
    struct weft_dl_thread *d = &p->p.threads[i];

    if (d->state == WEFT_DL_TIMED && d->wait.kind == WEFT_KIND_COND)
        wait_cond(p, i);
    if (d->state != WEFT_DL_BLOCKED)
        return;
    if (d->wait.kind == WEFT_KIND_MUTEX)
        wait_mutex(p, d);
    else if (d->wait.kind == WEFT_KIND_READ || d->wait.kind == WEFT_KIND_WRITE)
        wait_rwlock(p, d);
    else if (d->wait.kind == WEFT_KIND_SPIN)
        wait_spin(p, d);
    else if (d->wait.kind == WEFT_KIND_ONCE)
        need_holders(p, d, WEFT_KIND_ONCE);
    else if (d->wait.kind == WEFT_KIND_THREAD)
        wait_join(p, d);
    else if (d->wait.kind == WEFT_KIND_COND)
        wait_cond(p, i);
    else if (d->wait.kind == WEFT_KIND_SEMAPHORE)
        wait_semaphore(p, d);
    else
        wait_barrier(p, d);
}

/* A thread that no hook has seen could do what anybody can. */
static void
mark_unknown(struct weft_shim_picture *p)
{
    uint32_t known = 1; /* the checker */

    for (uint32_t i = 0; i < p->p.count; i++)
        known += p->p.threads[i].state != WEFT_DL_ENDED ||
                 p->tid[i] == getpid(); /* it stays until the process ends */
    if (weft_shim_task_count_() <= known)
        return;
    for (uint32_t i = 0; i < p->p.count; i++)
        if (p->p.threads[i].wait.rule != WEFT_DL_ALL)
            p->p.threads[i].wait.outside = true;
}

static bool
make_rooms(struct weft_shim_picture *p, size_t n)
{
    size_t holds = 0;

    for (struct weft_shim_thread *t = weft_shim_first_(); t != NULL;
         t = t->next)
        holds += atomic_load_explicit(&t->count, memory_order_relaxed);
    return make_room(&p->p.threads, &p->room[0], n, sizeof(*p->p.threads)) &&
           make_room(&p->record, &p->room[1], n, sizeof(*p->record)) &&
           make_room(&p->tid, &p->room[2], n, sizeof(*p->tid)) &&
           make_room(&p->self, &p->room[3], n, sizeof(*p->self)) &&
           make_room(&p->guard, &p->room[4], n, sizeof(*p->guard)) &&
           make_room(&p->needs, &p->room[5], NEEDS * n, sizeof(*p->needs)) &&
           make_room(&p->sleep, &p->room[6], n, sizeof(*p->sleep)) &&
           make_room(&p->held, &p->held_room, holds + 64, sizeof(*p->held));
}

bool
weft_shim_picture_(struct weft_shim_picture *p)
{
    size_t n = 0;

    for (struct weft_shim_thread *t = weft_shim_first_(); t != NULL;
         t = t->next)
        n++;
    if (!make_rooms(p, n))
        return false;
    p->p.count = 0;
    p->held_used = 0;
    p->conditions = false;
    p->catches = weft_shim_catches_();
    for (struct weft_shim_thread *t = weft_shim_first_(); t != NULL;
         t = t->next)
        if (p->p.count < n &&
            atomic_load_explicit(&t->state, memory_order_relaxed) !=
                WEFT_SHIM_FREE)
            copy_thread(p, p->p.count++, t);
    for (uint32_t i = 0; i < p->p.count; i++)
        find_needs(p, i);
    mark_unknown(p);
    return true;
}
