/* SPDX-License-Identifier: MIT */
/*
 * local.c - an array in each thread, and one index for each local.
 *
 * A local has an index, which is used again after it is destroyed, and a serial
 * number, which is not.  Entry `index` of a thread's table is this local's only
 * if it has the serial number, so what a destroyed local left behind is not
 * taken for the value of the next one.
 *
 * A thread reads and sets its own entries without a lock.  The lock is for what
 * others see: the list of tables, their growth, and the list of locals.  To
 * destroy a local is to take its value out of every table, under the lock, and
 * destroy what was found, without it; a thread that ends takes its values out of
 * its own table the same way.  Whoever takes a value out destroys it, so each is
 * destroyed once.
 *
 * A table goes in the destructor of a key of pthreads.  Destructors may use
 * locals: what they set is destroyed in another of ROUNDS rounds.  main's goes
 * at exit, after the handlers of atexit() that were registered since the
 * library was loaded.
 *
 * fork().  The child has the tables of threads that are not there.  They are
 * freed, and their values are not touched: they belong to the parent's threads.
 *
 * Ordering.
 *
 *     own       an entry's serial is stored  ->  who destroys the local loads it
 */
#include <weft/local.h>

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "thread/thread.h"

#define FIRST   8  /* entries of a table that is new */
#define AT_ONCE 32 /* values taken under the lock at a time */
#define ROUNDS  PTHREAD_DESTRUCTOR_ITERATIONS

struct weft_local {
    size_t index;
    uint64_t serial;
    void *(*init)(void *ctx);
    void (*destroy)(void *value);
    void *ctx;
};

struct entry {
    _Atomic uint64_t serial; /* 0: nobody's */
    _Atomic(void *) value;
};

/* The entries of one thread; the array is the thread's, and changes under the
 * lock. */
struct table {
    struct entry *entries;
    size_t size;
    struct table *next;
    struct table *previous;
};

/* In one piece in the thread's memory: a get reads both. */
static __thread struct {
    struct entry *entries;
    size_t size;
    struct table *table;
} own __attribute__((tls_model("initial-exec")));

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct table *tables;
static weft_local **locals; /* by index; NULL: free */
static size_t locals_size;
static uint64_t last_serial;
static pthread_key_t key;
static bool key_is_there;

/* Under the lock: a free index, with room for it; false without memory. */
static bool
take_index(weft_local *l)
{
    size_t i = 0;

    while (i < locals_size && locals[i] != NULL)
        i++;
    if (i == locals_size) {
        const size_t size = locals_size > 0 ? 2 * locals_size : FIRST;
        weft_local **more = realloc(locals, size * sizeof(weft_local *));
        if (more == NULL)
            return false;
        for (size_t k = i; k < size; k++)
            more[k] = NULL;
        locals = more;
        locals_size = size;
    }
    locals[i] = l;
    l->index = i;
    l->serial = ++last_serial;
    return true;
}

enum weft_status
weft_local_create(weft_local **out, void *(*init)(void *ctx),
                  void (*destroy)(void *value), void *ctx)
{
    if (out == NULL)
        return WEFT_INVALID;
    weft_local *l = malloc(sizeof(*l));
    if (l == NULL)
        return WEFT_NO_MEMORY;
    *l = (weft_local){.init = init, .destroy = destroy, .ctx = ctx};
    pthread_mutex_lock(&lock);
    const bool done = take_index(l);
    pthread_mutex_unlock(&lock);
    if (!done) {
        free(l);
        return WEFT_NO_MEMORY;
    }
    *out = l;
    return WEFT_OK;
}

/* The calling thread's table, which it makes if need be. */
static struct table *
own_table(void)
{
    if (own.table != NULL)
        return own.table;
    struct table *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return NULL;
    if (key_is_there && pthread_setspecific(key, t) != 0) {
        free(t);
        return NULL;
    }
    pthread_mutex_lock(&lock);
    t->next = tables;
    if (tables != NULL)
        tables->previous = t;
    tables = t;
    pthread_mutex_unlock(&lock);
    own.table = t;
    return t;
}

static void
copy_entries(struct entry *to, const struct entry *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        atomic_init(&to[i].serial, atomic_load_explicit(&from[i].serial,
                                                        memory_order_relaxed));
        atomic_init(&to[i].value,
                    atomic_load_explicit(&from[i].value, memory_order_relaxed));
    }
}

/* Room for entry `index`; false without memory. */
static bool
make_room(size_t index)
{
    struct table *t = own_table();

    if (t == NULL || index < t->size)
        return t != NULL;
    size_t size = t->size > 0 ? 2 * t->size : FIRST;
    while (size <= index)
        size *= 2;
    struct entry *entries = calloc(size, sizeof(*entries));
    if (entries == NULL)
        return false;
    struct entry *old = t->entries;
    pthread_mutex_lock(&lock);
    copy_entries(entries, old, t->size);
    t->entries = entries;
    t->size = size;
    pthread_mutex_unlock(&lock);
    own.entries = entries;
    own.size = size;
    free(old);
    return true;
}

/* The calling thread's entry for `l`; NULL if it has no value there. */
static inline struct entry *
own_entry(const weft_local *l)
{
    if (l->index >= own.size)
        return NULL;
    struct entry *e = &own.entries[l->index];
    return atomic_load_explicit(&e->serial, memory_order_relaxed) == l->serial
               ? e
               : NULL;
}

/* There is room. */
static void
store(const weft_local *l, void *value)
{
    struct entry *e = &own.entries[l->index];

    atomic_store_explicit(&e->value, value, memory_order_relaxed);
    /* release: own */
    atomic_store_explicit(&e->serial, l->serial, memory_order_release);
}

static __attribute__((noinline)) void *
first_get(weft_local *l)
{
    if (l->init == NULL || !make_room(l->index))
        return NULL;
    store(l, NULL); /* what a get within `init` finds */
    void *value = l->init(l->ctx);
    store(l, value);
    return value;
}

void *
weft_local_get(weft_local *l)
{
    struct entry *e = own_entry(l);

    return e != NULL ? atomic_load_explicit(&e->value, memory_order_relaxed)
                     : first_get(l);
}

enum weft_status
weft_local_set(weft_local *l, void *value)
{
    if (own_entry(l) == NULL && !make_room(l->index))
        return WEFT_NO_MEMORY;
    store(l, value);
    return WEFT_OK;
}

/* Under the lock: take what the entry has of `serial`; NULL if nothing. */
static void *
take(struct entry *e, uint64_t serial)
{
    /* acquire: own */
    if (atomic_load_explicit(&e->serial, memory_order_acquire) != serial)
        return NULL;
    atomic_store_explicit(&e->serial, 0, memory_order_relaxed);
    return atomic_load_explicit(&e->value, memory_order_relaxed);
}

/* Take up to `n` values of `l` out of all tables; how many. */
static size_t
take_some(const weft_local *l, void **values, size_t n)
{
    size_t taken = 0;

    pthread_mutex_lock(&lock);
    for (struct table *t = tables; t != NULL && taken < n; t = t->next) {
        void *value =
            l->index < t->size ? take(&t->entries[l->index], l->serial) : NULL;
        if (value != NULL)
            values[taken++] = value;
    }
    if (taken == 0)
        locals[l->index] = NULL;
    pthread_mutex_unlock(&lock);
    return taken;
}

void
weft_local_destroy(weft_local *l)
{
    void *values[AT_ONCE];
    size_t n;

    if (l == NULL)
        return;
    while ((n = take_some(l, values, AT_ONCE)) > 0)
        for (size_t i = 0; i < n && l->destroy != NULL; i++)
            l->destroy(values[i]);
    free(l);
}

/* Take the value in entry `i` of the calling thread, and who destroys it. */
static void *
take_own(size_t i, void (**destroy)(void *value))
{
    struct entry *e = &own.entries[i];
    void *value = NULL;

    pthread_mutex_lock(&lock);
    const weft_local *l = i < locals_size ? locals[i] : NULL;
    if (l != NULL) {
        value = take(e, l->serial);
        *destroy = l->destroy;
    }
    pthread_mutex_unlock(&lock);
    return value;
}

/* One round; whether there was anything. */
static bool
destroy_own(void)
{
    bool any = false;

    for (size_t i = 0; i < own.size; i++) {
        void (*destroy)(void *value) = NULL;
        void *value = take_own(i, &destroy);
        if (value == NULL)
            continue;
        any = true;
        if (destroy != NULL)
            destroy(value);
    }
    return any;
}

/* Under the lock. */
static void
unlist(struct table *t)
{
    if (t->next != NULL)
        t->next->previous = t->previous;
    if (t->previous != NULL)
        t->previous->next = t->next;
    else
        tables = t->next;
}

/* The thread ends: its values go, then its table. */
static void
end_thread(void *table)
{
    struct table *t = table;

    for (int round = 0; round < ROUNDS && destroy_own(); round++) {
    }
    pthread_mutex_lock(&lock);
    unlist(t);
    pthread_mutex_unlock(&lock);
    own.entries = NULL;
    own.size = 0;
    own.table = NULL;
    if (key_is_there)
        (void)pthread_setspecific(key, NULL); /* set again meanwhile */
    free(t->entries);
    free(t);
}

/* The thread ends the process. */
static void
at_exit(void)
{
    if (own.table != NULL)
        end_thread(own.table);
}

static void
before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void
after_fork(void)
{
    pthread_mutex_unlock(&lock);
}

static void
in_child(void)
{
    struct table *t = tables;

    while (t != NULL) {
        struct table *next = t->next;
        if (t != own.table) {
            unlist(t);
            free(t->entries);
            free(t);
        }
        t = next;
    }
    pthread_mutex_unlock(&lock);
}

__attribute__((constructor)) static void
begin(void)
{
    key_is_there = pthread_key_create(&key, end_thread) == 0;
    weft_exit_last_ = at_exit;
    (void)pthread_atfork(before_fork, after_fork, in_child);
}
