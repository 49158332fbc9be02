/* SPDX-License-Identifier: MIT */
#include "counting.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

#include "alloc_fail.h"
#include "base/percpu_port.h"
#include "testing.h"

START_TEST(test_create_stands_at_zero)
{
    weft_counter *c = make_counter(_i);

    ck_assert_int_eq(weft_counter_sum(c), 0);
    ck_assert_int_eq(weft_counter_reset(c), 0);
    weft_counter_destroy(c);
}
END_TEST

START_TEST(test_create_refuses_what_it_does_not_know)
{
    weft_counter *none = NULL;
    weft_counter *c = none;

    ck_assert_int_eq(weft_counter_create(NULL, WEFT_COUNTER_PERCPU),
                     WEFT_INVALID);
    ck_assert_int_eq(weft_counter_create(&c, (enum weft_counter_kind)3),
                     WEFT_INVALID);
    ck_assert_int_eq(weft_counter_create(&c, (enum weft_counter_kind) - 1),
                     WEFT_INVALID);
    ck_assert_ptr_eq(c, none);
}
END_TEST

START_TEST(test_create_without_memory_changes_nothing)
{
    weft_counter *c = NULL;

    alloc_fail_at(1);
    enum weft_status s = weft_counter_create(&c, (enum weft_counter_kind)_i);
    ck_assert_uint_eq(alloc_fail_stop(), 1);
    ck_assert_int_eq(s, WEFT_NO_MEMORY);
    ck_assert_ptr_null(c);
    ck_assert_uint_eq(alloc_live(), 0);

    alloc_fail_at(0);
    s = weft_counter_create(&c, (enum weft_counter_kind)_i);
    alloc_fail_stop();
    ck_assert_int_eq(s, WEFT_OK);
    weft_counter_destroy(c);
    ck_assert_uint_eq(alloc_live(), 0);
}
END_TEST

START_TEST(test_destroy_takes_null)
{
    weft_counter_destroy(NULL);
}
END_TEST

START_TEST(test_add_takes_any_number)
{
    weft_counter *c = make_counter(_i);

    weft_counter_add(c, 5);
    weft_counter_add(c, -7);
    ck_assert_int_eq(weft_counter_sum(c), -2);
    weft_counter_add(c, 0);
    weft_counter_add(c, (int64_t)1 << 40);
    ck_assert_int_eq(weft_counter_sum(c), ((int64_t)1 << 40) - 2);
    weft_counter_destroy(c);
}
END_TEST

START_TEST(test_sum_wraps_around_at_64_bits)
{
    weft_counter *c = make_counter(_i);

    weft_counter_add(c, INT64_MAX);
    weft_counter_add(c, 1);
    ck_assert_int_eq(weft_counter_sum(c), INT64_MIN);
    weft_counter_add(c, -1);
    ck_assert_int_eq(weft_counter_reset(c), INT64_MAX);
    weft_counter_add(c, INT64_MAX);
    weft_counter_add(c, 2);
    ck_assert_int_eq(weft_counter_reset(c), INT64_MIN + 1);
    ck_assert_int_eq(weft_counter_sum(c), 0);
    weft_counter_destroy(c);
}
END_TEST

START_TEST(test_reset_returns_the_sum_it_took_away)
{
    weft_counter *c = make_counter(_i);

    for (int round = 1; round <= 3; round++) {
        weft_counter_add(c, 10 * round);
        ck_assert_int_eq(weft_counter_reset(c), 10 * round);
        ck_assert_int_eq(weft_counter_sum(c), 0);
        ck_assert_int_eq(weft_counter_reset(c), 0);
    }
    weft_counter_add(c, -3);
    ck_assert_int_eq(weft_counter_sum(c), -3);
    weft_counter_destroy(c);
}
END_TEST

static weft_counter *under_test;

static void *
add_one(void *arg)
{
    (void)arg;
    weft_counter_add(under_test, 1);
    return NULL;
}

START_TEST(test_cells_grow_with_cpus_and_not_with_threads)
{
    enum { MANY = 200 };

    under_test = make_counter(_i);
    if (under_test->kind == WEFT_COUNTER_PERCPU)
        ck_assert_uint_eq(under_test->count, weft_percpu_count_());
    else
        ck_assert_uint_eq(under_test->count, 0);

    int started = 0;
    alloc_fail_at(0);
    for (int i = 0; i < MANY; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, add_one, NULL) == 0) {
            pthread_join(thread, NULL);
            started++;
        }
    }
    ck_assert_uint_eq(alloc_fail_stop(), 0);
    ck_assert_int_gt(started, 0);
    ck_assert_int_eq(weft_counter_sum(under_test), started);
    weft_counter_destroy(under_test);
}
END_TEST

START_TEST(test_additions_take_the_way_the_variant_says)
{
    weft_counter *c = make_counter(_i);
    int64_t owned = 0;
    int64_t shared = 0;

    for (int i = 0; i < 10000; i++)
        weft_counter_add(c, 1);
    for (unsigned i = 0; i < c->count; i++) {
        owned += atomic_load_explicit(&c->cells[i].owned, memory_order_relaxed);
        shared +=
            atomic_load_explicit(&c->cells[i].shared, memory_order_relaxed);
    }
    switch ((enum variant)_i) {
    case VARIANT_PERCPU:
        ck_assert_int_eq(owned + shared, 10000);
        if (owned_works())
            ck_assert_int_gt(owned, shared);
        break;
    case VARIANT_SHORT:
        ck_assert_int_eq(owned + shared, 10000);
        break;
    case VARIANT_STRIPED:
        ck_assert_int_eq(shared, 10000);
        break;
    case VARIANT_ATOMIC:
    case VARIANT_MUTEX:
    case VARIANTS:
        ck_assert_int_eq(weft_counter_sum(c), 10000);
        break;
    }
    weft_counter_destroy(c);
}
END_TEST

/*
 * The kernel looks at what the last addition announced when it next moves the
 * thread, and kills it if that is no longer mapped.
 */
START_TEST(test_library_can_be_unloaded)
{
    enum weft_status (*create)(weft_counter **, enum weft_counter_kind);
    void (*add)(weft_counter *, int64_t);
    void (*destroy)(weft_counter *);
    weft_counter *c;

    void *library = dlopen(".libs/libweft.so", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return;
    *(void **)&create = dlsym(library, "weft_counter_create");
    *(void **)&add = dlsym(library, "weft_counter_add");
    *(void **)&destroy = dlsym(library, "weft_counter_destroy");
    learn_cpus();
    ck_assert_int_eq(create(&c, WEFT_COUNTER_PERCPU), WEFT_OK);
    add(c, 1);
    destroy(c);
    ck_assert_int_eq(dlclose(library), 0);
    move_on();
    move_on();
}
END_TEST

START_TEST(test_all_of_this_holds_without_registration)
{
    must_hold_without_registration("test_counter");
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_create_stands_at_zero, VARIANTS},
        {&test_create_refuses_what_it_does_not_know, 1},
        {&test_create_without_memory_changes_nothing, VARIANT_STRIPED},
        {&test_destroy_takes_null, 1},
        {&test_add_takes_any_number, VARIANTS},
        {&test_sum_wraps_around_at_64_bits, VARIANTS},
        {&test_reset_returns_the_sum_it_took_away, VARIANTS},
        {&test_cells_grow_with_cpus_and_not_with_threads, VARIANTS},
        {&test_additions_take_the_way_the_variant_says, VARIANTS},
        {&test_library_can_be_unloaded, 1},
        {&test_all_of_this_holds_without_registration, 1},
    };

    return run_tests("counter", tests, sizeof(tests) / sizeof(tests[0]), 60);
}
