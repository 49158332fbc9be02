/* SPDX-License-Identifier: MIT */
/*
 * The contract of weft_heap as one thread sees it, for every form, with a key
 * and with a compare function.
 */
#include <weft/heap.h>

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "heaps.h"

#define MANY 3000

static uint32_t
draw(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

START_TEST(test_create_wants_an_out_pointer)
{
    ck_assert_int_eq(try_heap(NULL, _i), WEFT_INVALID);
}
END_TEST

START_TEST(test_create_wants_a_function)
{
    weft_heap *mark = (weft_heap *)&mark;
    weft_heap *h = mark;

    ck_assert_int_eq(weft_heap_create(&h, NULL, NULL, form_of(_i)),
                     WEFT_INVALID);
    ck_assert_int_eq(weft_heap_create_keyed(&h, NULL, NULL, form_of(_i)),
                     WEFT_INVALID);
    ck_assert_ptr_eq(h, mark);
}
END_TEST

START_TEST(test_create_wants_a_known_form)
{
    weft_heap *mark = (weft_heap *)&mark;
    weft_heap *h = mark;
    const enum weft_impl unknown[] = {(enum weft_impl)(WEFT_MUTEX + 1),
                                      (enum weft_impl) - 1};

    for (int k = 0; k < 2; k++) {
        ck_assert_int_eq(weft_heap_create(&h, thing_compare, NULL, unknown[k]),
                         WEFT_INVALID);
        ck_assert_int_eq(
            weft_heap_create_keyed(&h, thing_key, NULL, unknown[k]),
            WEFT_INVALID);
    }
    ck_assert_ptr_eq(h, mark);
}
END_TEST

START_TEST(test_create_without_memory_leaves_nothing_behind)
{
    for (unsigned k = 1;; k++) {
        weft_heap *h = NULL;
        alloc_fail_at(k);
        const enum weft_status s = try_heap(&h, _i);
        const unsigned asked = alloc_fail_stop();
        if (asked < k) {
            ck_assert_int_eq(s, WEFT_OK);
            ck_assert_uint_gt(k, 1);
            weft_heap_destroy(h);
            ck_assert_uint_eq(alloc_live(), 0);
            break;
        }
        ck_assert_int_eq(s, WEFT_NO_MEMORY);
        ck_assert_ptr_null(h);
        ck_assert_uint_eq(alloc_live(), 0);
    }
}
END_TEST

START_TEST(test_destroy_takes_null)
{
    weft_heap_destroy(NULL);
    weft_heap_destroy_with(NULL, NULL, NULL);
}
END_TEST

START_TEST(test_new_heap_is_empty)
{
    weft_heap *h = new_heap(_i);
    void *got = h;

    ck_assert_uint_eq(weft_heap_size(h), 0);
    ck_assert_int_eq(weft_heap_pop(h, &got), WEFT_EMPTY);
    ck_assert_uint_eq(weft_heap_pop_n(h, &got, 1), 0);
    ck_assert_ptr_eq(got, h);
    weft_heap_destroy(h);
}
END_TEST

START_TEST(test_the_lowest_leaves_first)
{
    static const int64_t keys[] = {5, -3, INT64_MAX, 0, INT64_MIN, 7, -1};
    static const int64_t sorted[] = {INT64_MIN, -3, -1, 0, 5, 7, INT64_MAX};
    struct thing things[7];
    weft_heap *h = new_heap(_i);

    for (unsigned k = 0; k < 7; k++) {
        things[k].key = keys[k];
        ck_assert_int_eq(weft_heap_push(h, &things[k]), WEFT_OK);
        ck_assert_uint_eq(weft_heap_size(h), k + 1);
    }
    for (unsigned k = 0; k < 7; k++) {
        ck_assert_int_eq(pop_thing(h)->key, sorted[k]);
        ck_assert_uint_eq(weft_heap_size(h), 6 - k);
    }
    weft_heap_destroy(h);
}
END_TEST

START_TEST(test_equal_ones_leave_in_the_order_they_came)
{
    static struct thing things[MANY];
    weft_heap *h = new_heap(_i);

    for (int64_t kinds = 1; kinds <= 3; kinds++) {
        for (unsigned k = 0; k < MANY; k++) {
            things[k] = (struct thing){.key = k % kinds, .number = k};
            ck_assert_int_eq(weft_heap_push(h, &things[k]), WEFT_OK);
        }
        for (unsigned key = 0; key < kinds; key++)
            for (unsigned k = key; k < MANY; k += (unsigned)kinds)
                ck_assert_ptr_eq(pop_thing(h), &things[k]);
        ck_assert_uint_eq(weft_heap_size(h), 0);
    }
    weft_heap_destroy(h);
}
END_TEST

/* The specification: take the first of the least, from a plain array. */
static struct thing *
take_least(struct thing **model, size_t *count)
{
    size_t least = 0;

    for (size_t k = 1; k < *count; k++)
        if (model[k]->key < model[least]->key)
            least = k;
    struct thing *t = model[least];
    memmove(&model[least], &model[least + 1],
            (*count - least - 1) * sizeof(model[0]));
    --*count;
    return t;
}

START_TEST(test_any_mix_of_pushes_and_pops_keeps_the_order)
{
    static struct thing things[10 * MANY];
    static struct thing *model[10 * MANY];
    const uint32_t ranges[] = {1, 4, 100, 1u << 20};

    for (unsigned r = 0; r < 4; r++) {
        weft_heap *h = new_heap(_i);
        uint32_t state = 12345 + r;
        size_t count = 0;
        void *got;
        for (unsigned k = 0; k < 10 * MANY; k++) {
            /* Waves: it grows to hundreds and drains, again and again. */
            const bool grow = (k >> 9) % 2 == 0;
            if (draw(&state) % 4 < (grow ? 3 : 1)) {
                things[k].key = draw(&state) % ranges[r];
                ck_assert_int_eq(weft_heap_push(h, &things[k]), WEFT_OK);
                model[count++] = &things[k];
            } else if (count == 0) {
                ck_assert_int_eq(weft_heap_pop(h, &got), WEFT_EMPTY);
            } else {
                ck_assert_ptr_eq(pop_thing(h), take_least(model, &count));
            }
            ck_assert_uint_eq(weft_heap_size(h), count);
        }
        weft_heap_destroy(h);
    }
}
END_TEST

static unsigned keys_read;

static int64_t
counted_key(const void *item, void *ctx)
{
    keys_read++;
    ck_assert_ptr_eq(ctx, &keys_read);
    return thing_key(item, NULL);
}

START_TEST(test_the_key_is_read_once_by_the_push)
{
    static struct thing things[100];
    weft_heap *h = NULL;

    ck_assert_int_eq(
        weft_heap_create_keyed(&h, counted_key, &keys_read, form_of(2 * _i)),
        WEFT_OK);
    for (unsigned k = 0; k < 100; k++) {
        things[k].key = -(int64_t)k;
        ck_assert_int_eq(weft_heap_push(h, &things[k]), WEFT_OK);
        ck_assert_uint_eq(keys_read, k + 1);
        things[k].key = k; /* now of no account */
    }
    for (unsigned k = 0; k < 100; k++)
        ck_assert_ptr_eq(pop_thing(h), &things[99 - k]);
    ck_assert_uint_eq(keys_read, 100);
    weft_heap_destroy(h);
}
END_TEST

START_TEST(test_null_is_an_item)
{
    struct thing below = {.key = -1};
    struct thing above = {.key = 1};
    weft_heap *h = new_heap(_i);

    ck_assert_int_eq(weft_heap_push(h, &above), WEFT_OK);
    ck_assert_int_eq(weft_heap_push(h, NULL), WEFT_OK);
    ck_assert_int_eq(weft_heap_push(h, &below), WEFT_OK);
    ck_assert_ptr_eq(pop_thing(h), &below);
    ck_assert_ptr_null(pop_thing(h));
    ck_assert_ptr_eq(pop_thing(h), &above);
    weft_heap_destroy(h);
}
END_TEST

START_TEST(test_an_item_may_be_there_twice)
{
    struct thing one = {.key = 1};
    weft_heap *h = new_heap(_i);

    ck_assert_int_eq(weft_heap_push(h, &one), WEFT_OK);
    ck_assert_int_eq(weft_heap_push(h, &one), WEFT_OK);
    ck_assert_ptr_eq(pop_thing(h), &one);
    ck_assert_ptr_eq(pop_thing(h), &one);
    ck_assert_uint_eq(weft_heap_size(h), 0);
    weft_heap_destroy(h);
}
END_TEST

START_TEST(test_push_n_and_pop_n_keep_the_order)
{
    static struct thing things[MANY];
    void *block[MANY];
    weft_heap *h = new_heap(_i);
    uint32_t state = 7;

    for (unsigned k = 0; k < MANY; k++) {
        things[k] = (struct thing){.key = draw(&state) % 50, .number = k};
        block[k] = &things[k];
    }
    ck_assert_uint_eq(weft_heap_push_n(h, block, 0), 0);
    ck_assert_uint_eq(weft_heap_push_n(h, block, 1000), 1000);
    ck_assert_uint_eq(weft_heap_push_n(h, block + 1000, MANY - 1000),
                      MANY - 1000);
    ck_assert_uint_eq(weft_heap_size(h), MANY);
    ck_assert_uint_eq(weft_heap_pop_n(h, block, 0), 0);
    const struct thing *last = NULL;
    for (unsigned done = 0; done < MANY;) {
        block[7] = h;
        const size_t some = weft_heap_pop_n(h, block, 7);
        ck_assert_uint_eq(some, MANY - done < 7 ? MANY - done : 7);
        ck_assert_ptr_eq(block[7], h);
        for (unsigned k = 0; k < some; k++) {
            const struct thing *t = block[k];
            ck_assert(last == NULL || last->key < t->key ||
                      (last->key == t->key && last->number < t->number));
            last = t;
        }
        done += (unsigned)some;
    }
    ck_assert_uint_eq(weft_heap_pop_n(h, block, 7), 0);
    weft_heap_destroy(h);
}
END_TEST

/* Pushes until an allocation fails; how many passed.  Asserts nothing. */
static unsigned
push_until_it_fails(weft_heap *h, struct thing *things, unsigned n, bool *late)
{
    unsigned k = 0;

    alloc_fail_at(1);
    while (k < n && weft_heap_push(h, &things[k]) == WEFT_OK)
        k++;
    *late = k < n && weft_heap_push(h, &things[k]) != WEFT_OK;
    (void)alloc_fail_stop();
    return k;
}

START_TEST(test_push_without_memory_changes_nothing)
{
    static struct thing things[MANY];
    weft_heap *h = new_heap(_i);
    bool late;
    unsigned total = 0;

    for (unsigned k = 0; k < MANY; k++)
        things[k] = (struct thing){.key = k % 7 == 0 ? -(int64_t)k : k};
    for (unsigned turn = 0; turn < 20 && total < MANY; turn++) {
        total += push_until_it_fails(h, &things[total], MANY - total, &late);
        ck_assert(!late);      /* only the first was made to fail */
        total += total < MANY; /* the one that then passed */
        ck_assert_uint_eq(weft_heap_size(h), total);
    }
    int64_t last = INT64_MIN;
    for (unsigned k = 0; k < total; k++) {
        const struct thing *t = pop_thing(h);
        ck_assert_int_ge(t->key, last);
        last = t->key;
    }
    ck_assert_uint_eq(weft_heap_size(h), 0);
    weft_heap_destroy(h);
}
END_TEST

struct dropped {
    unsigned count;
    unsigned wrong;
    const struct thing *last;
};

static void
note_drop(void *item, void *ctx)
{
    struct dropped *d = ctx;
    const struct thing *t = item;

    if (d->last != NULL &&
        (t->key < d->last->key ||
         (t->key == d->last->key && t->number < d->last->number)))
        d->wrong++;
    d->last = t;
    d->count++;
}

START_TEST(test_destroy_with_hands_out_what_is_left_in_order)
{
    static struct thing things[MANY];
    struct dropped d = {0};
    weft_heap *h = new_heap(_i);
    uint32_t state = 99;

    for (unsigned k = 0; k < MANY; k++) {
        things[k] = (struct thing){.key = draw(&state) % 100, .number = k};
        ck_assert_int_eq(weft_heap_push(h, &things[k]), WEFT_OK);
    }
    for (unsigned k = 0; k < 500; k++)
        (void)pop_thing(h);
    weft_heap_destroy_with(h, note_drop, &d);
    ck_assert_uint_eq(d.count, MANY - 500);
    ck_assert_uint_eq(d.wrong, 0);
}
END_TEST

START_TEST(test_destroy_takes_a_heap_that_is_not_empty)
{
    static struct thing things[MANY];
    weft_heap *h = new_heap(_i);

    for (unsigned k = 0; k < MANY; k++)
        ck_assert_int_eq(weft_heap_push(h, &things[k]), WEFT_OK);
    (void)pop_thing(h);
    weft_heap_destroy(h); /* AddressSanitizer says whether all of it went */
}
END_TEST

START_TEST(test_a_forked_child_uses_and_destroys_it)
{
    struct thing things[3] = {{.key = 3}, {.key = 1}, {.key = 2}};
    weft_heap *h = new_heap(_i);

    for (unsigned k = 0; k < 3; k++)
        ck_assert_int_eq(weft_heap_push(h, &things[k]), WEFT_OK);
    const pid_t child = fork();
    if (child == 0) {
        void *got;
        bool ok = weft_heap_pop(h, &got) == WEFT_OK && got == &things[1] &&
                  weft_heap_push(h, &things[1]) == WEFT_OK &&
                  weft_heap_size(h) == 3;
        weft_heap_destroy(h);
        _exit(ok ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_ptr_eq(pop_thing(h), &things[1]);
    weft_heap_destroy(h);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_create_wants_an_out_pointer, HEAPS},
        {&test_create_wants_a_function, HEAPS},
        {&test_create_wants_a_known_form, 1},
        {&test_create_without_memory_leaves_nothing_behind, HEAPS},
        {&test_destroy_takes_null, 1},
        {&test_new_heap_is_empty, HEAPS},
        {&test_the_lowest_leaves_first, HEAPS},
        {&test_equal_ones_leave_in_the_order_they_came, HEAPS},
        {&test_any_mix_of_pushes_and_pops_keeps_the_order, HEAPS},
        {&test_the_key_is_read_once_by_the_push, HEAPS / 2},
        {&test_null_is_an_item, HEAPS},
        {&test_an_item_may_be_there_twice, HEAPS},
        {&test_push_n_and_pop_n_keep_the_order, HEAPS},
        {&test_push_without_memory_changes_nothing, HEAPS},
        {&test_destroy_with_hands_out_what_is_left_in_order, HEAPS},
        {&test_destroy_takes_a_heap_that_is_not_empty, HEAPS},
        {&test_a_forked_child_uses_and_destroys_it, HEAPS},
    };

    return run_tests("heap", tests, sizeof(tests) / sizeof(tests[0]), 20);
}
