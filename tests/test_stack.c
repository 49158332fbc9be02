/* SPDX-License-Identifier: MIT */
/*
 * The contract of weft_stack as one thread sees it; _i is the form.
 */
#include <weft/stack.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "testing.h"

#define FORMS (WEFT_MUTEX + 1)

static weft_stack *
new_stack(int form)
{
    weft_stack *s = NULL;

    ck_assert_int_eq(weft_stack_create(&s, (enum weft_impl)form), WEFT_OK);
    return s;
}

static void *
item(uintptr_t number)
{
    return (void *)number;
}

static uintptr_t
pop_number(weft_stack *s)
{
    void *got;

    ck_assert_int_eq(weft_stack_pop(s, &got), WEFT_OK);
    return (uintptr_t)got;
}

START_TEST(test_create_wants_an_out_pointer)
{
    ck_assert_int_eq(weft_stack_create(NULL, (enum weft_impl)_i), WEFT_INVALID);
}
END_TEST

START_TEST(test_create_wants_a_known_form)
{
    weft_stack *mark = (weft_stack *)&mark;
    weft_stack *s = mark;

    ck_assert_int_eq(weft_stack_create(&s, (enum weft_impl)FORMS),
                     WEFT_INVALID);
    ck_assert_int_eq(weft_stack_create(&s, (enum weft_impl) - 1), WEFT_INVALID);
    ck_assert_ptr_eq(s, mark);
}
END_TEST

START_TEST(test_create_without_memory_leaves_nothing_behind)
{
    for (unsigned k = 1;; k++) {
        weft_stack *s = NULL;
        alloc_fail_at(k);
        enum weft_status status = weft_stack_create(&s, (enum weft_impl)_i);
        unsigned asked = alloc_fail_stop();
        if (asked < k) {
            ck_assert_int_eq(status, WEFT_OK);
            ck_assert_uint_gt(k, 1);
            weft_stack_destroy(s);
            ck_assert_uint_eq(alloc_live(), 0);
            break;
        }
        ck_assert_int_eq(status, WEFT_NO_MEMORY);
        ck_assert_ptr_null(s);
        ck_assert_uint_eq(alloc_live(), 0);
    }
}
END_TEST

#define MANY 2000

/* Items n - 1 down to 0 come out.  Not ck_assert, which writes to a file each
 * time that all is well. */
static void
check_pops(weft_stack *s, uintptr_t n)
{
    while (n-- > 0) {
        void *got = s;
        if (weft_stack_pop(s, &got) != WEFT_OK || got != item(n))
            ck_abort_msg("pop gave %p, not %p", got, item(n));
    }
}

/* Fill it, with allocation `k` failing.  Returns whether one was refused. */
static bool
fill_while_one_fails(weft_stack *s, unsigned k, unsigned *asked)
{
    unsigned refused = 0;

    alloc_fail_at(k);
    for (uintptr_t i = 0; i < MANY; i++)
        while (weft_stack_push(s, item(i)) != WEFT_OK && refused < MANY)
            refused++;
    *asked = alloc_fail_stop();
    return refused == 1;
}

START_TEST(test_a_push_without_memory_changes_nothing)
{
    for (unsigned k = 1;; k++) {
        weft_stack *s = new_stack(_i);
        unsigned asked;
        bool refused = fill_while_one_fails(s, k, &asked);
        ck_assert_uint_eq(weft_stack_size(s), MANY);
        check_pops(s, MANY);
        weft_stack_destroy(s);
        ck_assert_uint_eq(alloc_live(), 0);
        if (asked < k) {
            ck_assert_uint_gt(k, 3);
            ck_assert(!refused);
            break;
        }
        ck_assert(refused);
    }
}
END_TEST

START_TEST(test_push_n_without_memory_pushes_none)
{
    void *items[MANY];

    for (uintptr_t i = 0; i < MANY; i++)
        items[i] = item(i);
    for (unsigned k = 1;; k++) {
        weft_stack *s = new_stack(_i);
        ck_assert_int_eq(weft_stack_push(s, NULL), WEFT_OK);
        alloc_fail_at(k);
        size_t done = weft_stack_push_n(s, items, MANY);
        unsigned asked = alloc_fail_stop();
        ck_assert_uint_eq(done, asked < k ? MANY : 0);
        ck_assert_uint_eq(weft_stack_size(s), done + 1);
        ck_assert_uint_eq(weft_stack_push_n(s, items, MANY), MANY);
        ck_assert_uint_eq(weft_stack_size(s), done + 1 + MANY);
        weft_stack_destroy(s);
        ck_assert_uint_eq(alloc_live(), 0);
        if (asked < k)
            break;
    }
}
END_TEST

START_TEST(test_no_number_of_items_is_too_big_to_be_refused)
{
    static const size_t too_many[] = {SIZE_MAX, SIZE_MAX / 8, PTRDIFF_MAX / 8};
    weft_stack *s = new_stack(WEFT_MUTEX);
    void *one = NULL;

    ck_assert_int_eq(weft_stack_push(s, NULL), WEFT_OK);
    for (size_t i = 0; i < sizeof(too_many) / sizeof(too_many[0]); i++)
        ck_assert_uint_eq(weft_stack_push_n(s, &one, too_many[i]), 0);
    ck_assert_uint_eq(weft_stack_size(s), 1);
    weft_stack_destroy(s);
}
END_TEST

/* Each halving is an allocation that this link counts. */
START_TEST(test_the_mutex_form_gives_memory_back_as_it_drains)
{
    weft_stack *s = new_stack(WEFT_MUTEX);
    void *got;

    alloc_fail_at(0);
    for (uintptr_t i = 0; i < 4096; i++)
        if (weft_stack_push(s, item(i)) != WEFT_OK)
            break;
    unsigned grown = alloc_fail_stop();
    alloc_fail_at(0);
    while (weft_stack_pop(s, &got) == WEFT_OK)
        continue;
    ck_assert_uint_eq(alloc_fail_stop(), grown - 1);
    ck_assert_uint_eq(grown, 7); /* 64, 128, ... 4096 */
    weft_stack_destroy(s);
}
END_TEST

START_TEST(test_destroy_takes_null)
{
    weft_stack_destroy(NULL);
    weft_stack_destroy_with(NULL, NULL, NULL);
}
END_TEST

struct dropped {
    uintptr_t next;
    unsigned wrong;
};

static void
drop(void *got, void *ctx)
{
    struct dropped *d = ctx;

    d->wrong += (uintptr_t)got != --d->next;
}

START_TEST(test_destroy_with_hands_out_what_is_left_newest_first)
{
    weft_stack *s = new_stack(_i);
    struct dropped d = {.next = 1000};

    for (uintptr_t i = 0; i < 1005; i++)
        ck_assert_int_eq(weft_stack_push(s, item(i)), WEFT_OK);
    for (uintptr_t i = 1005; i > 1000; i--)
        ck_assert_uint_eq(pop_number(s), i - 1);
    weft_stack_destroy_with(s, drop, &d);
    ck_assert_uint_eq(d.next, 0);
    ck_assert_uint_eq(d.wrong, 0);
}
END_TEST

START_TEST(test_destroy_leaves_the_items_alone)
{
    weft_stack *s = new_stack(_i);
    char *object = malloc(1);

    *object = 'x';
    ck_assert_int_eq(weft_stack_push(s, object), WEFT_OK);
    weft_stack_destroy(s);
    ck_assert_int_eq(*object, 'x');
    free(object);
}
END_TEST

START_TEST(test_new_stack_is_empty)
{
    weft_stack *s = new_stack(_i);
    void *got = s;

    ck_assert_uint_eq(weft_stack_size(s), 0);
    ck_assert_int_eq(weft_stack_pop(s, &got), WEFT_EMPTY);
    ck_assert_uint_eq(weft_stack_pop_n(s, &got, 1), 0);
    ck_assert_ptr_eq(got, s);
    weft_stack_destroy(s);
}
END_TEST

START_TEST(test_null_is_an_item)
{
    weft_stack *s = new_stack(_i);
    void *got = s;

    ck_assert_int_eq(weft_stack_push(s, NULL), WEFT_OK);
    ck_assert_uint_eq(weft_stack_size(s), 1);
    ck_assert_int_eq(weft_stack_pop(s, &got), WEFT_OK);
    ck_assert_ptr_null(got);
    ck_assert_int_eq(weft_stack_pop(s, &got), WEFT_EMPTY);
    weft_stack_destroy(s);
}
END_TEST

START_TEST(test_items_come_out_newest_first_at_every_depth)
{
    weft_stack *s = new_stack(_i);

    for (size_t depth = 1; depth < 700; depth += 1 + depth / 3) {
        for (uintptr_t i = 0; i < depth; i++) {
            ck_assert_uint_eq(weft_stack_size(s), i);
            ck_assert_int_eq(weft_stack_push(s, item(i)), WEFT_OK);
        }
        for (uintptr_t i = depth; i > 0; i--) {
            ck_assert_uint_eq(weft_stack_size(s), i);
            ck_assert_uint_eq(pop_number(s), i - 1);
        }
    }
    weft_stack_destroy(s);
}
END_TEST

START_TEST(test_push_n_leaves_its_last_item_on_top)
{
    weft_stack *s = new_stack(_i);
    void *items[300];

    for (uintptr_t i = 0; i < 300; i++)
        items[i] = item(i);
    ck_assert_uint_eq(weft_stack_push_n(s, items, 0), 0);
    ck_assert_uint_eq(weft_stack_push_n(s, NULL, 0), 0);
    for (size_t n = 1; n <= 300; n += 1 + n / 40) {
        ck_assert_uint_eq(weft_stack_push_n(s, items, n), n);
        ck_assert_uint_eq(weft_stack_size(s), n);
        check_pops(s, n);
    }
    weft_stack_destroy(s);
}
END_TEST

START_TEST(test_pop_n_takes_the_newest_there_are)
{
    weft_stack *s = new_stack(_i);
    void *got[303];

    for (size_t n = 1; n <= 300; n += 1 + n / 40) {
        for (size_t k = 0; k < 303; k++)
            got[k] = s;
        for (uintptr_t i = 0; i < 300; i++)
            if (weft_stack_push(s, item(i)) != WEFT_OK)
                ck_abort_msg("no memory");
        ck_assert_uint_eq(weft_stack_pop_n(s, got, 0), 0);
        ck_assert_uint_eq(weft_stack_pop_n(s, got, n), n);
        for (size_t k = 0; k < n; k++)
            if ((uintptr_t)got[k] != 299 - k)
                ck_abort_msg("place %zu of %zu: %p", k, n, got[k]);
        ck_assert_ptr_eq(got[n], s);
        ck_assert_uint_eq(weft_stack_size(s), 300 - n);
        ck_assert_uint_eq(weft_stack_pop_n(s, got, 303), 300 - n);
        ck_assert_uint_eq(weft_stack_size(s), 0);
    }
    weft_stack_destroy(s);
}
END_TEST

/* What a stack is: an array. */
struct model {
    uintptr_t items[4096];
    size_t count;
};

static void
step(weft_stack *s, struct model *m, uint32_t draw, uintptr_t *next)
{
    void *block[40];
    const size_t n = draw >> 4 & 31;

    switch (draw & 3) {
    case 0:
        m->items[m->count++] = *next;
        ck_assert_int_eq(weft_stack_push(s, item((*next)++)), WEFT_OK);
        break;
    case 1:
        if (m->count == 0)
            ck_assert_int_eq(weft_stack_pop(s, block), WEFT_EMPTY);
        else
            ck_assert_uint_eq(pop_number(s), m->items[--m->count]);
        break;
    case 2:
        for (size_t i = 0; i < n; i++)
            block[i] = item(m->items[m->count++] = (*next)++);
        ck_assert_uint_eq(weft_stack_push_n(s, block, n), n);
        break;
    default: {
        const size_t some = n < m->count ? n : m->count;
        ck_assert_uint_eq(weft_stack_pop_n(s, block, n), some);
        for (size_t i = 0; i < some; i++)
            if ((uintptr_t)block[i] != m->items[--m->count])
                ck_abort_msg("pop_n gave another item");
    }
    }
    if (m->count > 4000) /* the tide turns */
        while (m->count > 10)
            ck_assert_uint_eq(pop_number(s), m->items[--m->count]);
}

START_TEST(test_random_calls_do_what_an_array_does)
{
    weft_stack *s = new_stack(_i);
    static struct model m;
    uintptr_t next = 0;
    uint32_t draw = 2463534242;

    m.count = 0;
    for (unsigned i = 0; i < 30000; i++) {
        draw ^= draw << 13; /* Marsaglia 2003 */
        draw ^= draw >> 17;
        draw ^= draw << 5;
        step(s, &m, draw, &next);
        if (weft_stack_size(s) != m.count)
            ck_abort_msg("size is %zu, not %zu", weft_stack_size(s), m.count);
    }
    weft_stack_destroy(s);
}
END_TEST

START_TEST(test_a_forked_child_has_it_all)
{
    weft_stack *s = new_stack(_i);

    for (uintptr_t i = 0; i < 500; i++)
        ck_assert_int_eq(weft_stack_push(s, item(i)), WEFT_OK);
    const pid_t child = fork();
    if (child == 0) {
        bool right = true;
        for (uintptr_t i = 500; i > 0; i--) {
            void *got = NULL;
            right &= weft_stack_pop(s, &got) == WEFT_OK && got == item(i - 1);
        }
        for (uintptr_t i = 0; i < 1000; i++)
            right &= weft_stack_push(s, item(i)) == WEFT_OK;
        right &= weft_stack_size(s) == 1000;
        weft_stack_destroy(s);
        _exit(right ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(pop_number(s), 499);
    weft_stack_destroy(s);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_create_wants_an_out_pointer, FORMS},
        {&test_create_wants_a_known_form, 1},
        {&test_create_without_memory_leaves_nothing_behind, FORMS},
        {&test_a_push_without_memory_changes_nothing, FORMS},
        {&test_push_n_without_memory_pushes_none, FORMS},
        {&test_no_number_of_items_is_too_big_to_be_refused, 1},
        {&test_the_mutex_form_gives_memory_back_as_it_drains, 1},
        {&test_destroy_takes_null, 1},
        {&test_destroy_with_hands_out_what_is_left_newest_first, FORMS},
        {&test_destroy_leaves_the_items_alone, FORMS},
        {&test_new_stack_is_empty, FORMS},
        {&test_null_is_an_item, FORMS},
        {&test_items_come_out_newest_first_at_every_depth, FORMS},
        {&test_push_n_leaves_its_last_item_on_top, FORMS},
        {&test_pop_n_takes_the_newest_there_are, FORMS},
        {&test_random_calls_do_what_an_array_does, FORMS},
        {&test_a_forked_child_has_it_all, FORMS},
    };

    return run_tests("stack", tests, sizeof(tests) / sizeof(tests[0]), 30);
}
