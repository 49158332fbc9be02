/* SPDX-License-Identifier: MIT */
#include "deadlock/watch.h"

#include <string.h>

#include "testing.h"

START_TEST(test_a_wait_is_published)
{
    struct weft_self *s = weft_self_get_();
    int object;

    ck_assert_ptr_null(s->waits_for);
    ck_assert_int_eq(weft_watch_block_(&object, WEFT_KIND_EVENT, 42), WEFT_OK);
    ck_assert_ptr_eq(s->waits_for, &object);
    ck_assert_int_eq(s->waits_kind, WEFT_KIND_EVENT);
    ck_assert_int_eq(s->waits_until, 42);
    ck_assert_uint_eq(s->waits % 2, 1);
    weft_watch_unblock_();
    ck_assert_ptr_null(s->waits_for);
    ck_assert_uint_eq(s->waits % 2, 0);
}
END_TEST

START_TEST(test_what_is_held_is_a_list)
{
    struct weft_self *s = weft_self_get_();
    static const char locks[WEFT_HELD_MAX + 5];

    for (uint32_t i = 0; i < sizeof(locks); i++)
        weft_watch_acquired_(&locks[i], WEFT_KIND_MUTEX);
    ck_assert_uint_eq(s->held_count, sizeof(locks));
    weft_watch_released_(&locks[WEFT_HELD_MAX + 1], WEFT_KIND_MUTEX);
    ck_assert_uint_eq(s->held_count, sizeof(locks) - 1);
    for (uint32_t i = WEFT_HELD_MAX; i < sizeof(locks); i++)
        weft_watch_released_(&locks[i], WEFT_KIND_MUTEX);
    ck_assert_uint_eq(s->held_count, WEFT_HELD_MAX);
    weft_watch_released_(&locks[0], WEFT_KIND_READ); /* it is not so held */
    ck_assert_uint_eq(s->held_count, WEFT_HELD_MAX);
    weft_watch_released_(&locks[1], WEFT_KIND_MUTEX);
    ck_assert_ptr_eq(s->held[0].object, &locks[0]);
    ck_assert_ptr_eq(s->held[1].object, &locks[2]);
}
END_TEST

START_TEST(test_every_kind_has_a_name)
{
    for (int i = 0; i < WEFT_KIND_COUNT; i++)
        ck_assert_str_ne(weft_kind_name_((enum weft_kind)i), "unknown");
    ck_assert_str_eq(weft_kind_name_(WEFT_KIND_COUNT), "unknown");
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_a_wait_is_published, 1},
        {&test_what_is_held_is_a_list, 1},
        {&test_every_kind_has_a_name, 1},
    };

    return run_tests("watch", tests, sizeof(tests) / sizeof(tests[0]), 10);
}
