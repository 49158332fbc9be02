/* SPDX-License-Identifier: MIT */
/*
 * test_deadlock_order_plain.c - plain orders, and what is said and noted
 * besides: news, names, calls in a handler, many locks held.
 */
#include <string.h>

#include "actors.h"
#include "testing.h"

/* --- plain orders --------------------------------------------------------- */

static void
check_plain(int count)
{
    ck_assert_int_eq(found_count(), count);
    for (int i = 0; i < count; i++) {
        ck_assert_int_eq(found_at(i)->found.level, WEFT_DL_ORDER);
        ck_assert(!found_at(i)->found.certain);
        ck_assert_ptr_nonnull(found_at(i)->found.doubt);
    }
    end_play();
}

START_TEST(test_plain_orders_are_told_if_asked_for)
{
    begin_play(true);
    nest(0, 0, 1);
    start(0, 1);
    nest(1, 1, 0);
    ck_assert_ptr_nonnull(strstr(found_at(0)->found.doubt, "until"));
    start(0, 2);
    nest(2, 1, 0);
    check_plain(1);
}
END_TEST

START_TEST(test_plain_orders_behind_a_gate_say_so)
{
    begin_play(true);
    start(0, 1);
    nest_3(0, 2, 0, 1);
    nest_3(1, 2, 1, 0);
    ck_assert_ptr_nonnull(strstr(found_at(0)->found.doubt, "hold as well"));
    check_plain(1);
}
END_TEST

START_TEST(test_plain_orders_of_one_thread_or_one_place_are_not_told)
{
    begin_play(true);
    start(0, 1);
    nest(0, 0, 1);
    nest(0, 1, 0);
    take(1, 3, WEFT_KIND_READ);
    take(1, 4, WEFT_KIND_READ);
    give(1, 4, WEFT_KIND_READ);
    give(1, 3, WEFT_KIND_READ);
    take(0, 4, WEFT_KIND_READ);
    take(0, 3, WEFT_KIND_READ);
    check_plain(0);
}
END_TEST

START_TEST(test_what_is_feasible_is_not_plain)
{
    begin_play(true);
    start(0, 1);
    nest(0, 0, 1);
    nest(1, 1, 0);
    start(0, 2);
    nest(2, 1, 0); /* behind the first, but told before */
    ck_assert_int_eq(found_count(), 1);
    ck_assert_int_eq(found_at(0)->found.level, WEFT_DL_FEASIBLE);
    end_play();
}
END_TEST

START_TEST(test_plain_becomes_feasible)
{
    begin_play(true);
    nest(0, 0, 1);
    start(0, 1);
    nest(1, 1, 0);
    ck_assert_int_eq(found_count(), 1);
    nest(0, 0, 1);
    ck_assert_int_eq(found_count(), 2);
    ck_assert_int_eq(found_at(1)->found.level, WEFT_DL_FEASIBLE);
    end_play();
}
END_TEST

/* --- the rest ------------------------------------------------------------- */

static int news;

static void
count_news(void *context)
{
    ck_assert_ptr_eq(context, &news);
    news++;
    weft_order_forgets_(graph, OBJECT(50), 1); /* no lock is held */
}

static void
name_third(void *context, uint64_t id, char *name, size_t room)
{
    ck_assert_ptr_eq(context, &news);
    ck_assert_uint_ge(room, 6);
    if (id == 2)
        memcpy(name, "third", 6);
}

START_TEST(test_news_are_told_and_names_asked_for)
{
    const struct weft_order_options options = {.map = map_for_test,
                                               .news = count_news,
                                               .context = &news,
                                               .name_of = name_third};

    begin_play(false);
    graph = weft_order_create_(&options);
    for (int a = 1; a < 3; a++)
        appear(a);
    nest(1, 0, 1);
    lock(2, 1);
    ck_assert_int_eq(news, 0);
    lock(2, 0);
    lock(2, 7);
    ck_assert_int_eq(news, 1);
    ck_assert_str_eq(found_at(0)->picture.threads[0].name, "");
    ck_assert_str_eq(found_at(0)->picture.threads[1].name, "third");
    end_play();
}
END_TEST

START_TEST(test_a_call_in_a_handler_is_not_noted)
{
    begin_with(2);
    nest(0, 0, 1);
    actors[1].order.inside = true; /* it interrupts one of the same thread */
    nest(1, 1, 0);
    ck_assert_int_eq(found_count(), 0);
    actors[1].order.inside = false;
    nest(1, 1, 0);
    ck_assert_int_eq(found_count(), 1);
    end_play();
}
END_TEST

START_TEST(test_64_and_more_held_are_noted)
{
    begin_with(2);
    for (int i = 0; i < 70; i++)
        lock(0, i);
    for (int i = 0; i < 70; i++)
        unlock(0, i);
    ck_assert_int_eq(found_count(), 0);
    nest(1, 69, 0);
    ck_assert_int_eq(found_count(), 1);
    ck_assert_uint_eq(found_at(0)->picture.threads[1].held_count, 69);
    ck_assert_ptr_eq(found_at(0)->picture.threads[1].held[0].object, OBJECT(0));
    end_play();
}
END_TEST

START_TEST(test_threads_have_their_names)
{
    begin_with(2);
    weft_order_name_(&actors[1].order, "second");
    nest(0, 0, 1);
    nest(1, 1, 0);
    ck_assert_int_eq(found_count(), 1);
    ck_assert_str_eq(found_at(0)->picture.threads[0].name, "second");
    ck_assert_str_eq(found_at(0)->picture.threads[1].name, "");
    end_play();
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_plain_orders_are_told_if_asked_for, 1},
        {&test_plain_orders_behind_a_gate_say_so, 1},
        {&test_plain_orders_of_one_thread_or_one_place_are_not_told, 1},
        {&test_what_is_feasible_is_not_plain, 1},
        {&test_plain_becomes_feasible, 1},
        {&test_news_are_told_and_names_asked_for, 1},
        {&test_a_call_in_a_handler_is_not_noted, 1},
        {&test_64_and_more_held_are_noted, 1},
        {&test_threads_have_their_names, 1},
    };

    return run_tests("deadlock_order_plain", tests,
                     sizeof(tests) / sizeof(tests[0]), 60);
}
