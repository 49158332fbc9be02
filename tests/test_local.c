/* SPDX-License-Identifier: MIT */
#include <weft/local.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "testing.h"

static _Atomic int made;
static _Atomic int destroyed;

static int
count_made(void)
{
    return atomic_load_explicit(&made, memory_order_relaxed);
}

static int
count_destroyed(void)
{
    return atomic_load_explicit(&destroyed, memory_order_relaxed);
}

static void *
make(void *ctx)
{
    int *value = malloc(sizeof(*value));

    atomic_fetch_add_explicit(&made, 1, memory_order_relaxed);
    *value = *(int *)ctx;
    return value;
}

static void
destroy(void *value)
{
    ck_assert_ptr_nonnull(value);
    atomic_fetch_add_explicit(&destroyed, 1, memory_order_relaxed);
    free(value);
}

static int seven = 7;

static weft_local *
new_local(void *(*init)(void *ctx), void (*end)(void *value), void *ctx)
{
    weft_local *l = NULL;

    ck_assert_int_eq(weft_local_create(&l, init, end, ctx), WEFT_OK);
    return l;
}

static void
run(void *(*fn)(void *arg), void *arg)
{
    pthread_t t;

    /* Check allocates: nothing is asserted while the thread makes that fail. */
    const int started = pthread_create(&t, NULL, fn, arg);
    const int joined = started == 0 ? pthread_join(t, NULL) : -1;
    ck_assert_int_eq(started, 0);
    ck_assert_int_eq(joined, 0);
}

static void *
use(void *arg)
{
    int *value = weft_local_get(arg);

    ck_assert_int_eq(*value, 7);
    *value = 8;
    ck_assert_ptr_eq(weft_local_get(arg), value);
    return NULL;
}

START_TEST(test_each_thread_has_a_value_of_its_own)
{
    weft_local *l = new_local(make, destroy, &seven);

    for (int i = 1; i <= 10; i++) {
        run(use, l);
        ck_assert_int_eq(count_made(), i);
        ck_assert_int_eq(count_destroyed(), i);
    }
    use(l);
    ck_assert_int_eq(count_made(), 11);
    weft_local_destroy(l);
    ck_assert_int_eq(count_destroyed(), 11);
}
END_TEST

static void *
set_twice(void *arg)
{
    int *first = malloc(sizeof(*first));
    int *second = malloc(sizeof(*second));

    ck_assert_int_eq(weft_local_set(arg, first), WEFT_OK);
    ck_assert_int_eq(weft_local_set(arg, second), WEFT_OK);
    ck_assert_ptr_eq(weft_local_get(arg), second);
    free(first); /* what was replaced is ours */
    return NULL;
}

static void *
do_not_use(void *arg)
{
    return arg;
}

START_TEST(test_destructors_run_once_per_thread_that_set_a_value)
{
    weft_local *l = new_local(NULL, destroy, NULL);

    run(set_twice, l);
    ck_assert_int_eq(count_destroyed(), 1);
    run(do_not_use, l);
    ck_assert_int_eq(count_destroyed(), 1);
    weft_local_destroy(l);
    ck_assert_int_eq(count_destroyed(), 1);
}
END_TEST

#define THREADS 50 /* more than are taken at a time */

static pthread_barrier_t gate;

static void *
use_and_wait(void *arg)
{
    use(arg);
    pthread_barrier_wait(&gate);
    pthread_barrier_wait(&gate);
    return NULL;
}

START_TEST(test_destructors_run_also_when_the_local_is_destroyed_first)
{
    weft_local *l = new_local(make, destroy, &seven);
    pthread_t threads[THREADS];

    pthread_barrier_init(&gate, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, use_and_wait, l), 0);
    pthread_barrier_wait(&gate);
    ck_assert_int_eq(count_destroyed(), 0);
    weft_local_destroy(l);
    ck_assert_int_eq(count_destroyed(), THREADS);
    pthread_barrier_wait(&gate);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert_int_eq(count_destroyed(), THREADS);
}
END_TEST

static void *
use_and_end(void *arg)
{
    use(arg);
    pthread_barrier_wait(&gate);
    return NULL;
}

START_TEST(test_a_value_is_destroyed_once_when_both_end_at_the_same_time)
{
    for (int round = 0; round < 200; round++) {
        weft_local *l = new_local(make, destroy, &seven);
        pthread_t threads[4];
        pthread_barrier_init(&gate, NULL, 5);
        for (int i = 0; i < 4; i++)
            ck_assert_int_eq(pthread_create(&threads[i], NULL, use_and_end, l),
                             0);
        pthread_barrier_wait(&gate);
        weft_local_destroy(l);
        for (int i = 0; i < 4; i++)
            ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        pthread_barrier_destroy(&gate);
        ck_assert_int_eq(count_destroyed(), 4 * (round + 1));
    }
}
END_TEST

START_TEST(test_a_new_local_does_not_see_the_value_of_an_old_one)
{
    for (int i = 0; i < 1000; i++) {
        weft_local *l = new_local(NULL, NULL, NULL);
        ck_assert_ptr_null(weft_local_get(l));
        ck_assert_int_eq(weft_local_set(l, &seven), WEFT_OK);
        ck_assert_ptr_eq(weft_local_get(l), &seven);
        weft_local_destroy(l);
    }
}
END_TEST

#define MANY 5000 /* pthreads has 1024 keys */

START_TEST(test_there_is_any_number_of_locals)
{
    static weft_local *locals[MANY];
    static int values[MANY];

    for (int i = 0; i < MANY; i++) {
        locals[i] = new_local(NULL, NULL, NULL);
        ck_assert_int_eq(weft_local_set(locals[i], &values[i]), WEFT_OK);
    }
    for (int i = 0; i < MANY; i++)
        ck_assert_ptr_eq(weft_local_get(locals[i]), &values[i]);
    for (int i = 0; i < MANY; i++)
        weft_local_destroy(locals[i]);
}
END_TEST

static void *
make_null(void *ctx)
{
    ++*(int *)ctx;
    return NULL;
}

START_TEST(test_null_is_a_value_and_is_not_destroyed)
{
    int calls = 0;
    weft_local *l = new_local(make_null, destroy, &calls);

    ck_assert_ptr_null(weft_local_get(l));
    ck_assert_ptr_null(weft_local_get(l));
    ck_assert_int_eq(calls, 1);
    weft_local_destroy(l);
    weft_local_destroy(NULL);
    ck_assert_int_eq(count_destroyed(), 0);
    ck_assert_int_eq(weft_local_create(NULL, NULL, NULL, NULL), WEFT_INVALID);
}
END_TEST

static weft_local *recursive;

static void *
make_by_itself(void *ctx)
{
    (void)ctx;
    ck_assert_ptr_null(weft_local_get(recursive));
    return &seven;
}

START_TEST(test_init_that_asks_for_its_own_value_gets_null)
{
    recursive = new_local(make_by_itself, NULL, NULL);
    ck_assert_ptr_eq(weft_local_get(recursive), &seven);
    weft_local_destroy(recursive);
}
END_TEST

static weft_local *other;

static void
use_other(void *value)
{
    (void)value;
    ck_assert_int_eq(*(int *)weft_local_get(other), 7);
}

START_TEST(test_a_destructor_may_use_locals)
{
    int value;
    weft_local *l = new_local(NULL, use_other, NULL);

    other = new_local(make, destroy, &seven);
    pthread_t t;
    (void)value;
    ck_assert_int_eq(pthread_create(&t, NULL, set_twice, other), 0);
    ck_assert_int_eq(pthread_join(t, NULL), 0);
    ck_assert_int_eq(weft_local_set(l, &value), WEFT_OK);
    weft_local_destroy(l); /* makes main's value of `other` */
    ck_assert_int_eq(count_made(), 1);
    weft_local_destroy(other);
    ck_assert_int_eq(count_destroyed(), 2);
}
END_TEST

static pthread_key_t late;

static void
use_late(void *l)
{
    ck_assert_int_eq(*(int *)weft_local_get(l), 7);
}

static void *
use_in_a_destructor(void *l)
{
    use(l);
    pthread_setspecific(late, l);
    return NULL;
}

START_TEST(test_destructors_of_other_keys_may_use_locals)
{
    weft_local *l = new_local(make, destroy, &seven);

    ck_assert_int_eq(pthread_key_create(&late, use_late), 0);
    run(use_in_a_destructor, l);
    ck_assert_int_eq(count_destroyed(), count_made());
    weft_local_destroy(l);
    ck_assert_int_eq(count_destroyed(), count_made());
}
END_TEST

static void *
make_seven(void *ctx)
{
    atomic_fetch_add_explicit(&made, 1, memory_order_relaxed);
    return ctx;
}

static void *
get_first(void *arg)
{
    void **pair = arg;

    alloc_fail_at((unsigned)(uintptr_t)pair[1]);
    pair[2] = weft_local_get(pair[0]);
    pair[1] = (void *)(uintptr_t)alloc_fail_stop();
    return NULL;
}

START_TEST(test_without_memory_get_is_null_and_calls_no_init)
{
    weft_local *l = new_local(make_seven, NULL, &seven);

    for (unsigned k = 1;; k++) {
        void *pair[3] = {l, (void *)(uintptr_t)k, NULL};
        const int before = count_made();
        run(get_first, pair);
        if ((uintptr_t)pair[1] < k) {
            ck_assert_ptr_nonnull(pair[2]);
            break;
        }
        if (count_made() == before)
            ck_assert_ptr_null(pair[2]);
        ck_assert_int_le(k, 3);
    }
    weft_local_destroy(l);
}
END_TEST

START_TEST(test_without_memory_create_makes_nothing)
{
    for (unsigned k = 1;; k++) {
        weft_local *l = NULL;
        alloc_fail_at(k);
        const enum weft_status s = weft_local_create(&l, NULL, NULL, NULL);
        const unsigned asked = alloc_fail_stop();
        if (asked < k) {
            ck_assert_int_eq(s, WEFT_OK);
            weft_local_destroy(l);
            break;
        }
        ck_assert_int_eq(s, WEFT_NO_MEMORY);
        ck_assert_ptr_null(l);
        ck_assert_uint_eq(alloc_live(), 0);
    }
}
END_TEST

static int told;

static void
tell(void *value)
{
    (void)value;
    if (write(told, "d", 1) != 1)
        _exit(9);
}

static weft_local *at_end;

static void
look_at_exit(void)
{
    if (weft_local_get(at_end) != &seven || write(told, "h", 1) != 1)
        _exit(9);
}

START_TEST(test_the_value_of_main_is_destroyed_after_the_handlers_of_exit)
{
    int pipes[2];
    char got[8] = "";
    int status;

    ck_assert_int_eq(pipe(pipes), 0);
    const pid_t child = fork();
    if (child == 0) {
        told = pipes[1];
        at_end = new_local(NULL, tell, NULL);
        (void)!weft_local_set(at_end, &seven);
        atexit(look_at_exit);
        exit(0);
    }
    close(pipes[1]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(read(pipes[0], got, sizeof(got)), 2);
    ck_assert_str_eq(got, "hd");
}
END_TEST

static void *
fork_with_values(void *l)
{
    use(l);
    int status;
    const pid_t child = fork();
    if (child == 0) {
        const int before = count_destroyed();
        if (*(int *)weft_local_get(l) != 8)
            _exit(2);
        weft_local_destroy(l); /* our own value, not that of main */
        _exit(count_destroyed() == before + 1 ? 0 : 3);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    return NULL;
}

START_TEST(test_a_forked_child_has_the_values_of_the_thread_that_forked)
{
    weft_local *l = new_local(make, destroy, &seven);

    use(l);
    run(fork_with_values, l);
    weft_local_destroy(l);
    ck_assert_int_eq(count_destroyed(), 2);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_each_thread_has_a_value_of_its_own, 1},
        {&test_destructors_run_once_per_thread_that_set_a_value, 1},
        {&test_destructors_run_also_when_the_local_is_destroyed_first, 1},
        {&test_a_value_is_destroyed_once_when_both_end_at_the_same_time, 1},
        {&test_a_new_local_does_not_see_the_value_of_an_old_one, 1},
        {&test_there_is_any_number_of_locals, 1},
        {&test_null_is_a_value_and_is_not_destroyed, 1},
        {&test_init_that_asks_for_its_own_value_gets_null, 1},
        {&test_a_destructor_may_use_locals, 1},
        {&test_destructors_of_other_keys_may_use_locals, 1},
        {&test_without_memory_get_is_null_and_calls_no_init, 1},
        {&test_without_memory_create_makes_nothing, 1},
        {&test_the_value_of_main_is_destroyed_after_the_handlers_of_exit, 1},
        {&test_a_forked_child_has_the_values_of_the_thread_that_forked, 1},
    };
    size_t count = sizeof(tests) / sizeof(tests[0]);

    if (in_emulator()) {
        puts("left out: test_a_forked_child_has_the_values_of_the_thread_that_"
             "forked; qemu-user 7.2 crashes when a process with threads forks");
        count--;
    }
    return run_tests("local", tests, count, 20);
}
