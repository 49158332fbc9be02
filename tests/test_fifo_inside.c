/* SPDX-License-Identifier: MIT */
/*
 * What the forms of the fifo without a lock promise about their insides: lives,
 * hints, segments that serve again or go back, and calls that stopped half way.
 * _i is WEFT_LOCKFREE or WEFT_LOCKLESS.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "container/fifo_impl.h"
#include "testing.h"

#define FORMS WEFT_MUTEX /* those before it */

/* Segments that are mapped, as the library asks for them and gives them back;
 * the linker sends both calls through here (-Wl,--wrap). */
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

static int
mapped_now(void)
{
    return atomic_load_explicit(&mapped, memory_order_relaxed);
}

static weft_fifo *
new_fifo(int form, uint64_t cells)
{
    weft_fifo *f = NULL;

    weft_fifo_start_.cells = cells;
    ck_assert_int_eq(weft_fifo_create(&f, (enum weft_impl)form), WEFT_OK);
    return f;
}

static void
push_numbers(weft_fifo *f, uintptr_t first, uintptr_t end)
{
    uintptr_t wrong = 0;

    for (uintptr_t k = first; k < end; k++)
        wrong += weft_fifo_push(f, (void *)k) != WEFT_OK;
    ck_assert_uint_eq(wrong, 0);
}

static void
check_numbers(weft_fifo *f, uintptr_t first, uintptr_t end)
{
    uintptr_t wrong = 0;

    for (uintptr_t k = first; k < end; k++) {
        void *got = NULL;
        wrong += weft_fifo_pop(f, &got) != WEFT_OK || got != (void *)k;
    }
    ck_assert_uint_eq(wrong, 0);
}

static void
check_empty(weft_fifo *f)
{
    void *none;

    ck_assert_uint_eq(weft_fifo_size(f), 0);
    ck_assert_int_eq(weft_fifo_pop(f, &none), WEFT_EMPTY);
}

static uint64_t
load(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static void
store(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

static void
set_end(struct weft_segments_end *end, const struct weft_segments_place *at)
{
    atomic_store_explicit(&end->segment.item, at->s, memory_order_relaxed);
    store(&end->segment.stamp, at->life);
}

START_TEST(test_lives_beyond_32_bits_and_near_their_end_are_like_any_other)
{
    static const uint64_t starts[] = {
        1, UINT32_MAX - 20, (UINT64_MAX >> WEFT_SEGMENTS_INDEX_BITS) / 4 - 20,
        (UINT64_MAX >> WEFT_SEGMENTS_INDEX_BITS) / 2 - 400};
    void *block[10];

    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        weft_fifo_start_.first_life = starts[i];
        weft_fifo *f = new_fifo(_i, 3);
        uintptr_t in = 0;
        uintptr_t out = 0;
        for (unsigned turn = 0; turn < 100; turn++) {
            push_numbers(f, in, in + turn % 12);
            in += turn % 12;
            ck_assert_uint_eq(weft_fifo_size(f), in - out);
            ck_assert_uint_eq(weft_fifo_pushed_(f), in);
            size_t some = weft_fifo_pop_n(f, block, turn % 10);
            for (size_t k = 0; k < some; k++)
                ck_assert_uint_eq((uintptr_t)block[k], out++);
        }
        check_numbers(f, out, in);
        check_empty(f);
        weft_fifo_destroy(f);
    }
}
END_TEST

START_TEST(test_pushed_counts_every_push)
{
    weft_fifo *f = new_fifo(_i, _i < FORMS ? 5 : WEFT_SEGMENT_CELLS);
    void *got;

    ck_assert_uint_eq(weft_fifo_pushed_(f), 0);
    for (uintptr_t k = 0; k < 100; k++) {
        push_numbers(f, k, k + 1);
        ck_assert_uint_eq(weft_fifo_pushed_(f), k + 1);
        if (k % 3 == 0)
            ck_assert_int_eq(weft_fifo_pop(f, &got), WEFT_OK);
        ck_assert_uint_eq(weft_fifo_pushed_(f), k + 1);
    }
    weft_fifo_destroy(f);
}
END_TEST

START_TEST(test_a_drained_fifo_keeps_few_segments)
{
    const uintptr_t many = 60 * WEFT_SEGMENT_CELLS;
    const int before = mapped_now();
    weft_fifo *f = new_fifo(_i, WEFT_SEGMENT_CELLS);

    for (unsigned wave = 0; wave < 3; wave++) {
        push_numbers(f, 0, many);
        ck_assert_int_ge(mapped_now() - before, 60);
        check_numbers(f, 0, many);
        check_empty(f);
        weft_reclaim_barrier_();
        ck_assert_int_le(mapped_now() - before, 1 + WEFT_SEGMENTS_SPARES);
    }
    weft_fifo_destroy(f);
    ck_assert_int_eq(mapped_now(), before);
}
END_TEST

START_TEST(test_a_drained_segment_serves_again_at_once)
{
    /* We are inside, so nothing can be given back. */
    weft_fifo *f = new_fifo(_i, 2);
    weft_reclaim_enter_();
    push_numbers(f, 0, 5);
    const int before = mapped_now();
    for (uintptr_t k = 0; k < 1000; k++) {
        push_numbers(f, k + 5, k + 6);
        check_numbers(f, k, k + 1);
    }
    ck_assert_int_le(mapped_now(), before + 1);
    weft_reclaim_leave_();
    check_numbers(f, 1000, 1005);
    check_empty(f);
    weft_fifo_destroy(f);
}
END_TEST

static void *
stay_inside(void *arg)
{
    pthread_barrier_t *inside = arg;

    weft_reclaim_enter_();
    pthread_barrier_wait(inside); /* stopped here */
    pthread_barrier_wait(inside);
    weft_reclaim_leave_();
    return NULL;
}

START_TEST(test_a_stopped_thread_delays_giving_back_and_nothing_else)
{
    const uintptr_t many = 20 * WEFT_SEGMENT_CELLS;
    const int before = mapped_now();
    weft_fifo *f = new_fifo(_i, WEFT_SEGMENT_CELLS);
    pthread_barrier_t inside;
    pthread_t stopped;

    pthread_barrier_init(&inside, NULL, 2);
    ck_assert_int_eq(pthread_create(&stopped, NULL, stay_inside, &inside), 0);
    pthread_barrier_wait(&inside);
    push_numbers(f, 0, many);
    check_numbers(f, 0, many);
    check_empty(f);
    const int held = mapped_now() - before;
    ck_assert_int_ge(held, 20);
    for (uintptr_t k = 0; k < many; k++) {
        push_numbers(f, k, k + 1);
        check_numbers(f, k, k + 1);
    }
    ck_assert_int_eq(mapped_now() - before, held);

    pthread_barrier_wait(&inside);
    pthread_join(stopped, NULL);
    weft_reclaim_barrier_();
    ck_assert_int_le(mapped_now() - before, 1 + WEFT_SEGMENTS_SPARES);
    weft_fifo_destroy(f);
    pthread_barrier_destroy(&inside);
}
END_TEST

START_TEST(test_a_hint_set_back_loses_nothing)
{
    static const uint64_t sizes[] = {1, 2, 7, 50, WEFT_SEGMENT_CELLS};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        weft_fifo *f = new_fifo(WEFT_LOCKFREE, sizes[i]);
        uintptr_t in = 0;
        uintptr_t out = 0;
        uint64_t first = load(&f->list.tail.position);
        uint64_t old_tail = first;
        uint64_t old_head = first;
        for (unsigned turn = 0; turn < 500; turn++) {
            /* Some are of the life that is, some of one before. */
            if (turn % 11 == 0)
                old_tail = load(&f->list.tail.position);
            if (turn % 7 == 0)
                old_head = load(&f->list.head.position);
            store(&f->list.tail.position, turn % 5 == 0 ? first : old_tail);
            push_numbers(f, in, in + 1);
            in++;
            store(&f->list.tail.position, old_tail);
            store(&f->list.head.position, turn % 3 == 0 ? first : old_head);
            ck_assert_uint_eq(weft_fifo_size(f), in - out);
            ck_assert_uint_eq(weft_fifo_pushed_(f), in);
            if (turn % 4 != 0) {
                check_numbers(f, out, out + 1);
                out++;
            }
        }
        for (; out < in; out++) {
            store(&f->list.head.position, old_head);
            check_numbers(f, out, out + 1);
        }
        store(&f->list.head.position, old_head);
        check_empty(f);
        weft_fifo_destroy(f);
    }
}
END_TEST

/* A lock-free call that stopped after its swap, before it moved the hint. */
START_TEST(test_a_stopped_lock_free_call_stops_nobody)
{
    weft_fifo *f = new_fifo(WEFT_LOCKFREE, 3);

    push_numbers(f, 0, 1);
    uint64_t push_stopped_at = load(&f->list.tail.position);
    uint64_t pop_stopped_at = load(&f->list.head.position);
    push_numbers(f, 1, 2);
    check_numbers(f, 0, 1);
    store(&f->list.tail.position, push_stopped_at);
    store(&f->list.head.position, pop_stopped_at);
    ck_assert_uint_eq(weft_fifo_size(f), 1);

    for (uintptr_t k = 2; k < 200; k++) {
        push_numbers(f, k, k + 1);
        check_numbers(f, k - 1, k);
    }
    /* They wake up, and their stores set the hints back by many lives. */
    store(&f->list.tail.position, push_stopped_at + 1);
    store(&f->list.head.position, pop_stopped_at + 1);
    ck_assert_uint_eq(weft_fifo_size(f), 1);
    push_numbers(f, 200, 201);
    check_numbers(f, 199, 201);
    check_empty(f);
    weft_fifo_destroy(f);
}
END_TEST

/* A lockless push that stopped between its claim and its stamp. */
START_TEST(test_a_stopped_lockless_push_holds_up_its_slot)
{
    weft_fifo *f = new_fifo(WEFT_LOCKLESS, 3);
    const struct weft_segments_place at = weft_segments_look_(&f->list.tail);
    void *none;

    store(&f->list.tail.position, load(&f->list.tail.position) + 1);
    push_numbers(f, 1, 10);
    ck_assert_int_eq(weft_fifo_pop(f, &none), WEFT_EMPTY);
    ck_assert_uint_eq(weft_fifo_pop_n(f, &none, 1), 0);

    /* It goes on, and all is as if it had never stopped. */
    atomic_store_explicit(&at.s->cells[0].item, NULL, memory_order_relaxed);
    store(&at.s->cells[0].stamp, 2 * at.life);
    check_numbers(f, 0, 10);
    check_empty(f);
    weft_fifo_destroy(f);
}
END_TEST

/* It had appended a segment, and the tail had not moved on. */
START_TEST(test_a_push_stopped_after_it_appended_stops_nobody)
{
    weft_fifo *f = new_fifo(_i, 2);
    push_numbers(f, 0, 2);
    const struct weft_segments_place full = weft_segments_look_(&f->list.tail);
    const uint64_t position = load(&f->list.tail.position);

    /* A push of one item into the next segment, all but its item. */
    ck_assert_int_eq(weft_segments_tail_on_(&f->list, &full, NULL), WEFT_OK);
    set_end(&f->list.tail, &full);
    store(&f->list.tail.position, position);
    ck_assert_uint_eq(weft_fifo_size(f), 2);

    /* The head overtakes the tail, and takes it along. */
    check_numbers(f, 0, 2);
    check_empty(f);
    ck_assert_uint_eq(load(&f->list.tail.segment.stamp), full.life + 1);
    push_numbers(f, 2, 9);
    check_numbers(f, 2, 9);
    check_empty(f);
    weft_fifo_destroy(f);
}
END_TEST

/* A call that stopped in a life that is over, with the segment in a new one. */
START_TEST(test_a_call_that_means_an_old_life_changes_nothing)
{
    weft_fifo *f = new_fifo(_i, 2);
    const struct weft_segments_place old = weft_segments_look_(&f->list.tail);
    uintptr_t in = 0;

    /* Until that segment is the last in the list again. */
    do {
        push_numbers(f, in, in + 1);
        check_numbers(f, in, in + 1);
        in++;
    } while (weft_segments_look_(&f->list.tail).s != old.s ||
             weft_segments_look_(&f->list.tail).life == old.life);
    const struct weft_segments_place now = weft_segments_look_(&f->list.tail);
    ck_assert_ptr_null(
        atomic_load_explicit(&now.s->next.item, memory_order_relaxed));

    ck_assert_int_eq(weft_segments_tail_on_(&f->list, &old, NULL), WEFT_OK);
    ck_assert_int_eq(weft_segments_head_on_(&f->list, &old), WEFT_OK);
    ck_assert_ptr_null(
        atomic_load_explicit(&now.s->next.item, memory_order_relaxed));
    ck_assert_uint_eq(weft_segments_look_(&f->list.tail).life, now.life);
    ck_assert_uint_eq(weft_segments_look_(&f->list.head).life, now.life);
    push_numbers(f, in, in + 9);
    check_numbers(f, in, in + 9);
    check_empty(f);
    weft_fifo_destroy(f);
}
END_TEST

/* _i goes over WEFT_MUTEX, too. */
START_TEST(test_a_forked_child_uses_and_destroys_it)
{
    const uintptr_t many = 10 * WEFT_SEGMENT_CELLS;
    weft_fifo *f = new_fifo(_i, WEFT_SEGMENT_CELLS);
    void *got;
    int status;

    push_numbers(f, 0, many);
    check_numbers(f, 0, many / 2);
    const pid_t child = fork();
    if (child == 0) {
        bool ok = true;
        for (uintptr_t k = many / 2; k < many; k++)
            ok = ok && weft_fifo_pop(f, &got) == WEFT_OK && got == (void *)k;
        ok = ok && weft_fifo_pop(f, &got) == WEFT_EMPTY;
        ok = ok && weft_fifo_push(f, NULL) == WEFT_OK;
        weft_reclaim_barrier_();
        weft_fifo_destroy(f);
        _exit(ok ? 0 : 1);
    }
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    check_numbers(f, many / 2, many);
    check_empty(f);
    weft_fifo_destroy(f);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_lives_beyond_32_bits_and_near_their_end_are_like_any_other,
         FORMS},
        {&test_pushed_counts_every_push, FORMS + 1},
        {&test_a_drained_fifo_keeps_few_segments, FORMS},
        {&test_a_drained_segment_serves_again_at_once, FORMS},
        {&test_a_stopped_thread_delays_giving_back_and_nothing_else, FORMS},
        {&test_a_hint_set_back_loses_nothing, 1},
        {&test_a_stopped_lock_free_call_stops_nobody, 1},
        {&test_a_stopped_lockless_push_holds_up_its_slot, 1},
        {&test_a_push_stopped_after_it_appended_stops_nobody, FORMS},
        {&test_a_call_that_means_an_old_life_changes_nothing, FORMS},
        {&test_a_forked_child_uses_and_destroys_it, FORMS + 1},
    };

    return run_tests("fifo_inside", tests, sizeof(tests) / sizeof(tests[0]),
                     20);
}
