/* SPDX-License-Identifier: MIT */
/*
 * A call of a container that may not be held up is interrupted before each of
 * its instructions, and all that others might do meanwhile is done there, in
 * the handler: after it the call finds that what it read is long past.  Then it
 * goes on, and everything is counted.
 *
 * So each pair of reads that has to be of one moment is tried with that moment
 * gone by in between.  Orders of memory are not: it is one thread.
 */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "container/deque_impl.h"
#include "container/fifo_impl.h"
#include "container/heap_impl.h"
#include "sleepers.h"
#include "stall/step.h"
#include "testing.h"

#define NUMBERS 256 /* items of one trial at most */
#define VICTIM  1   /* the item of the call that is interrupted */

/* Segments that are mapped. */
static _Atomic int mapped;
void *__real_mmap(void *at, size_t n, int prot, int flags, int fd, off_t from);
int __real_munmap(void *at, size_t n);
void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t from);
int __wrap_munmap(void *at, size_t n);

void *
__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t from)
{
    if (n == sizeof(struct weft_segment))
        atomic_fetch_add_explicit(&mapped, 1, memory_order_relaxed);
    return __real_mmap(at, n, prot, flags, fd, from);
}

int
__wrap_munmap(void *at, size_t n)
{
    if (n == sizeof(struct weft_segment))
        atomic_fetch_sub_explicit(&mapped, 1, memory_order_relaxed);
    return __real_munmap(at, n);
}

/* A container as void *; PUSH and the others are calls of the victim. */
enum call { PUSH, POP, STEAL, CALLS };
struct kind {
    void *(*create)(void);
    bool (*call[CALLS])(void *c, void **item); /* NULL: none */
    void (*check)(void *c); /* whether its inside is in order */
    void (*destroy)(void *c);
    bool in_order; /* first in first out */
    bool is_deque; /* others than the victim of PUSH or POP may only STEAL */
};

/* One trial. */
struct trial {
    const struct kind *kind;
    void *container;
    enum call call;
    unsigned work; /* of the others */

    uintptr_t next;                /* number to push, after VICTIM */
    uintptr_t last;                /* number popped by the others */
    unsigned size;                 /* items that are there now */
    bool was_empty;                /* at a moment of the call */
    unsigned char popped[NUMBERS]; /* how often */
    unsigned char pushed[NUMBERS];
    void *item;
    bool moved;
};

static void
note_popped(struct trial *t, const void *item)
{
    const uintptr_t n = (uintptr_t)item;

    must(n < NUMBERS && t->pushed[n] + (n == VICTIM) > 0);
    must(t->popped[n]++ == 0);
    if (t->kind->in_order && n != VICTIM) {
        must(n > t->last);
        t->last = n;
    }
}

static void
push_next(struct trial *t)
{
    void *item = (void *)t->next;

    if (t->next == NUMBERS)
        return;
    must(t->kind->call[PUSH](t->container, &item));
    t->pushed[t->next++] = 1;
    t->size++;
}

static bool
take(struct trial *t, enum call call)
{
    void *item;
    const bool some = t->kind->call[call](t->container, &item);

    if (some) {
        note_popped(t, item);
        t->size--;
    }
    t->was_empty = t->was_empty || t->size == 0;
    return some;
}

/* All of libc is left out: one of its locks may be held. */
extern const char __executable_start[];
extern const char etext[];

/* What the others do: so many in and out, all at once or in turn. */
static void
meanwhile(void *context, uintptr_t place)
{
    static const struct {
        unsigned in, out, times;
    } works[] = {{0, 1, 1}, {1, 0, 1}, {0, 9, 1}, {1, 1, 1},  {1, 1, 2},
                 {1, 1, 4}, {1, 1, 7}, {3, 3, 1}, {5, 0, 1},  {2, 2, 6},
                 {9, 9, 1}, {1, 1, 9}, {2, 9, 1}, {12, 9, 1}, {3, 2, 5}};
    struct trial *t = context;
    const unsigned w = t->work % (sizeof(works) / sizeof(works[0]));
    const enum call out =
        t->kind->is_deque && (t->call != STEAL || w % 2 != 0) ? STEAL : POP;
    const bool may_push = !t->kind->is_deque || t->call == STEAL;

    if (place < (uintptr_t)__executable_start || place >= (uintptr_t)etext)
        return;
    for (unsigned i = 0; i < works[w].times; i++) {
        for (unsigned k = 0; k < works[w].in && may_push; k++)
            push_next(t);
        for (unsigned k = 0; k < works[w].out; k++)
            (void)take(t, out);
    }
}

static void
make_call(void *arg)
{
    struct trial *t = arg;

    t->moved = t->kind->call[t->call](t->container, &t->item);
}

static void
finish(struct trial *t)
{
    if (t->call == PUSH)
        must(t->moved);
    else if (t->moved) { /* in its own place among the others */
        must((uintptr_t)t->item < NUMBERS && (uintptr_t)t->item != VICTIM);
        must(t->pushed[(uintptr_t)t->item] == 1);
        must(t->popped[(uintptr_t)t->item]++ == 0);
    } else if (t->call == POP)
        must(t->was_empty);
    if (t->kind->check != NULL)
        t->kind->check(t->container);
    t->pushed[VICTIM] = t->call == PUSH;
    while (take(t, POP)) {
    }
    must(memcmp(t->pushed, t->popped, NUMBERS) == 0);
    t->kind->destroy(t->container);
}

/* Interrupt a call before instruction `k`; false: it has not so many. */
static bool
try(const struct kind *kind, enum call call, unsigned fill, unsigned work,
    unsigned long k)
{
    struct trial t = {.kind = kind,
                      .container = kind->create(),
                      .call = call,
                      .work = work,
                      .next = VICTIM + 1,
                      .item = (void *)(uintptr_t)VICTIM};
    const struct step step = {
        .stops = {k}, .stopped = meanwhile, .context = &t};

    for (unsigned i = 0; i < fill % 4 + 2; i++)
        push_next(&t);
    for (unsigned i = 0; i < fill / 4 && take(&t, POP); i++) {
    }
    t.was_empty = t.size == 0;
    const bool there = step_call(&step, make_call, &t) == 1;
    finish(&t);
    return there;
}

/*
 * From each of the states, before each of the first `near` instructions, and of
 * the others up to FAR each `stride`-th, from each state other ones; the works
 * take turns.
 */
#define STATES 8
#ifdef __SANITIZE_ADDRESS__ /* its calls are far longer */
#define FAR 1
#else
#define FAR 800
#endif

static void
interrupt(const struct kind *kind, enum call call, unsigned long near,
          unsigned long stride)
{
    unsigned work = 0;

    step_begin();
    for (unsigned fill = 0; step_works() && fill < STATES; fill++) {
        for (unsigned long k = 0; k < near; k++)
            (void)try(kind, call, fill, work++, 1 + k);
        for (unsigned long k = near + 1 + fill * 7 % stride;
             k < FAR && try(kind, call, fill, work++, k); k += stride) {
        }
    }
    step_end();
}

/* --- fifo ---------------------------------------------------------------- */

static enum weft_impl impl;

static void *
create_fifo(void)
{
    weft_fifo *f;

    weft_fifo_start_.cells = 2;
    must(weft_fifo_create(&f, impl) == WEFT_OK);
    return f;
}

static bool
push_fifo(void *f, void **item)
{
    return weft_fifo_push(f, *item) == WEFT_OK;
}

static bool
pop_fifo(void *f, void **item)
{
    return weft_fifo_pop(f, item) == WEFT_OK;
}

static void
destroy_fifo(void *f)
{
    weft_fifo_destroy(f);
}

/* _i: PUSH or POP, of WEFT_LOCKFREE or WEFT_LOCKLESS */
START_TEST(test_a_fifo_s_call_may_be_interrupted_anywhere)
{
    static const struct kind kind = {.create = create_fifo,
                                     .call = {push_fifo, pop_fifo, NULL},
                                     .destroy = destroy_fifo,
                                     .in_order = true};

    impl = _i / 2 == 0 ? WEFT_LOCKFREE : WEFT_LOCKLESS;
    interrupt(&kind, (enum call)(_i % 2), 40, 17);
    weft_reclaim_barrier_();
    ck_assert_int_eq(mapped, 0);
}
END_TEST

/* --- deque --------------------------------------------------------------- */

static void *
create_deque(void)
{
    weft_deque *d;

    must(weft_deque_create(&d) == WEFT_OK);
    return d;
}

static bool
push_deque(void *d, void **item)
{
    return weft_deque_push(d, *item) == WEFT_OK;
}

static bool
pop_deque(void *d, void **item)
{
    return weft_deque_pop(d, item) == WEFT_OK;
}

static bool
steal_deque(void *d, void **item)
{
    return weft_deque_steal(d, item) == WEFT_OK;
}

static void
destroy_deque(void *d)
{
    weft_deque_destroy(d);
}

/* _i: PUSH, POP or STEAL */
START_TEST(test_a_deque_s_call_may_be_interrupted_anywhere)
{
    static const struct kind kind = {
        .create = create_deque,
        .call = {push_deque, pop_deque, steal_deque},
        .destroy = destroy_deque,
        .is_deque = true};

    interrupt(&kind, (enum call)_i, 70, 5);
}
END_TEST

/* --- heap ---------------------------------------------------------------- */

/* Low and high ones in turn. */
static int64_t
key_of(const void *item, void *ctx)
{
    const uintptr_t n = (uintptr_t)item;

    (void)ctx;
    return (int64_t)(n * 37 % 16);
}

static void *
create_heap(void)
{
    weft_heap *h;

    must(weft_heap_create_keyed(&h, key_of, NULL, WEFT_LOCKFREE) == WEFT_OK);
    return h;
}

static bool
push_heap(void *h, void **item)
{
    return weft_heap_push(h, *item) == WEFT_OK;
}

static bool
pop_heap(void *h, void **item)
{
    return weft_heap_pop(h, item) == WEFT_OK;
}

static void
destroy_heap(void *h)
{
    weft_heap_destroy(h);
}

static bool
comes_after(const struct weft_heap_node *n, const struct weft_heap_node *wanted)
{
    while (n != NULL && n != wanted)
        n = weft_heap_led_to_(n->next[0]);
    return n == wanted;
}

/* No link of a node that is in the heap leads back. */
static void
check_heap(void *container)
{
    const weft_heap *h = container;
    const struct weft_heap_node *n = h->front;

    while (n != NULL) {
        const bool is_passed = (n->next[0] & WEFT_HEAP_TAKEN) != 0;
        for (unsigned i = 1; i < n->height && !is_passed; i++) {
            const struct weft_heap_node *to = weft_heap_led_to_(n->next[i]);
            must(to == NULL || comes_after(n, to));
        }
        n = weft_heap_led_to_(n->next[0]);
    }
}

/* _i: PUSH or POP */
START_TEST(test_a_heap_s_call_may_be_interrupted_anywhere)
{
    static const struct kind kind = {.create = create_heap,
                                     .call = {push_heap, pop_heap, NULL},
                                     .check = check_heap,
                                     .destroy = destroy_heap};

    interrupt(&kind, (enum call)_i, _i == PUSH ? 10 : 90, 19);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_a_fifo_s_call_may_be_interrupted_anywhere, 4},
        {&test_a_deque_s_call_may_be_interrupted_anywhere, 3},
        {&test_a_heap_s_call_may_be_interrupted_anywhere, 2},
    };

    return run_tests("interrupted", tests, sizeof(tests) / sizeof(tests[0]),
                     120);
}
