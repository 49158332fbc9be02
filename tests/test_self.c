/* SPDX-License-Identifier: MIT */
#include "base/self.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testing.h"

static size_t
count(void)
{
    size_t n = 0;

    weft_reclaim_enter_();
    for (struct weft_self *s = weft_self_first_(); s != NULL;
         s = weft_self_next_(s))
        n++;
    weft_reclaim_leave_();
    return n;
}

START_TEST(test_main_is_thread_1)
{
    ck_assert_uint_eq(weft_self_id_(), 1);
    ck_assert_uint_eq(weft_self_tag_(), 8);
    ck_assert_uint_eq(weft_self_id_of_(8), 1);
    ck_assert_ptr_nonnull(weft_self_get_());
}
END_TEST

static void *
learn_id(void *arg)
{
    uint64_t *id = arg;

    *id = weft_self_id_();
    ck_assert_uint_eq(count(), 2);
    ck_assert_uint_eq(weft_self_id_of_(weft_self_tag_()), *id);
    return NULL;
}

START_TEST(test_a_foreign_thread_is_listed_until_it_ends)
{
    uint64_t last = weft_self_id_();

    for (int i = 0; i < 100; i++) {
        uint64_t id = 0;
        pthread_t t;
        ck_assert_int_eq(pthread_create(&t, NULL, learn_id, &id), 0);
        ck_assert_int_eq(pthread_join(t, NULL), 0);
        ck_assert_uint_gt(id, last);
        last = id;
        ck_assert_uint_eq(count(), 1);
    }
}
END_TEST

static pthread_key_t late;
static uint32_t tag_in_time;
static uint32_t tag_late;

static void
use_late(void *value)
{
    (void)value;
    tag_late = weft_self_tag_();
}

static void *
use_in_time(void *arg)
{
    tag_in_time = weft_self_tag_();
    pthread_setspecific(late, arg);
    return NULL;
}

START_TEST(test_an_ending_thread_keeps_its_tag)
{
    pthread_t t;

    ck_assert_int_eq(pthread_key_create(&late, use_late), 0);
    ck_assert_int_eq(pthread_create(&t, NULL, use_in_time, &late), 0);
    ck_assert_int_eq(pthread_join(t, NULL), 0);
    ck_assert_uint_ne(tag_late, 0);
    ck_assert_uint_eq(tag_in_time, tag_late);
    ck_assert_uint_eq(count(), 1);
}
END_TEST

START_TEST(test_watching_makes_every_thread_slow)
{
    ck_assert_uint_eq(weft_self_, 8);
    weft_self_watch_(true);
    ck_assert_uint_eq(weft_self_, 0);
    ck_assert_uint_eq(weft_self_tag_(), 8);
    weft_self_watch_(false);
    ck_assert_uint_eq(weft_self_, 8);
}
END_TEST

static void *
wait_for_release(void *arg)
{
    weft_self_tag_();
    pthread_barrier_wait(arg);
    pthread_barrier_wait(arg);
    return NULL;
}

START_TEST(test_a_forked_child_has_one_thread)
{
    pthread_barrier_t both;
    pthread_t t;
    int status;

    pthread_barrier_init(&both, NULL, 2);
    ck_assert_int_eq(pthread_create(&t, NULL, wait_for_release, &both), 0);
    pthread_barrier_wait(&both);
    ck_assert_uint_eq(count(), 2);
    const pid_t child = fork();
    if (child == 0)
        _exit(count() == 1 && weft_self_get_()->native_id == getpid() ? 0 : 1);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    pthread_barrier_wait(&both);
    ck_assert_int_eq(pthread_join(t, NULL), 0);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_main_is_thread_1, 1},
        {&test_a_foreign_thread_is_listed_until_it_ends, 1},
        {&test_an_ending_thread_keeps_its_tag, 1},
        {&test_watching_makes_every_thread_slow, 1},
        {&test_a_forked_child_has_one_thread, 1},
    };

    return run_tests("self", tests, sizeof(tests) / sizeof(tests[0]), 10);
}
