/* SPDX-License-Identifier: MIT */
#include <weft/thread.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "testing.h"

static weft_thread *
start(weft_fn *fn, void *arg, const weft_thread_options *options)
{
    weft_thread *t = NULL;

    ck_assert_int_eq(weft_thread_start(&t, fn, arg, options), WEFT_OK);
    ck_assert_ptr_nonnull(t);
    return t;
}

static void *
end(weft_thread *t)
{
    void *result = NULL;

    ck_assert_int_eq(weft_thread_join(t, WEFT_FOREVER, &result), WEFT_OK);
    weft_thread_release(t);
    return result;
}

static void *
give_back(void *arg)
{
    return arg;
}

START_TEST(test_join_gives_what_the_function_returned)
{
    int there;

    ck_assert_ptr_eq(end(start(give_back, &there, NULL)), &there);
    ck_assert_ptr_null(end(start(give_back, NULL, NULL)));
}
END_TEST

/* A gate that threads wait at, and what one of them saw. */
static pthread_barrier_t gate;

static void *
wait_at_gate(void *arg)
{
    pthread_barrier_wait(&gate);
    return arg;
}

struct seen {
    weft_thread *self;
    uint64_t id;
    int64_t native_id;
    bool daemon;
    char system_name[16];
    char name[64];
};

static void *
look_at_myself(void *arg)
{
    struct seen *s = arg;

    s->self = weft_thread_current();
    s->id = weft_thread_id(s->self);
    s->native_id = syscall(SYS_gettid);
    s->daemon = weft_thread_is_daemon(s->self);
    snprintf(s->name, sizeof(s->name), "%s", weft_thread_name(s->self));
    pthread_getname_np(pthread_self(), s->system_name, sizeof(s->system_name));
    return arg;
}

START_TEST(test_start_returns_after_the_thread_has_its_ids)
{
    struct seen s;
    uint64_t last = weft_thread_id(weft_thread_main());

    for (int i = 0; i < 1000; i++) {
        weft_thread *t = start(look_at_myself, &s, NULL);
        const uint64_t id = weft_thread_id(t);
        const int64_t native_id = weft_thread_native_id(t);
        ck_assert_int_eq(weft_thread_join(t, WEFT_FOREVER, NULL), WEFT_OK);
        ck_assert_ptr_eq(s.self, t);
        ck_assert_uint_eq(id, s.id);
        ck_assert_int_eq(native_id, s.native_id);
        ck_assert_uint_gt(id, last);
        last = id;
        weft_thread_release(t);
    }
}
END_TEST

START_TEST(test_a_bad_argument_starts_nothing)
{
    weft_thread *t = NULL;
    const weft_thread_options daemon = {.daemon = (enum weft_daemon)3};
    const weft_thread_options stack = {.stack_bytes = 1};
    const weft_thread_options far = {.pin = true, .cpu = UINT32_MAX};
    const weft_thread_options none = {.pin = true, .cpu = 1000000};
    const uint64_t before = weft_thread_count();

    ck_assert_int_eq(weft_thread_start(NULL, give_back, NULL, NULL),
                     WEFT_INVALID);
    ck_assert_int_eq(weft_thread_start(&t, NULL, NULL, NULL), WEFT_INVALID);
    ck_assert_int_eq(weft_thread_start(&t, give_back, NULL, &daemon),
                     WEFT_INVALID);
    ck_assert_int_eq(weft_thread_start(&t, give_back, NULL, &stack),
                     WEFT_INVALID);
    ck_assert_int_eq(weft_thread_start(&t, give_back, NULL, &far),
                     WEFT_INVALID);
    ck_assert_int_eq(weft_thread_start(&t, give_back, NULL, &none),
                     WEFT_INVALID);
    ck_assert_ptr_null(t);
    ck_assert_uint_eq(weft_thread_count(), before);
}
END_TEST

static void *
measure_stack(void *arg)
{
    pthread_attr_t attr;

    ck_assert_int_eq(pthread_getattr_np(pthread_self(), &attr), 0);
    ck_assert_int_eq(pthread_attr_getstacksize(&attr, arg), 0);
    pthread_attr_destroy(&attr);
    return NULL;
}

START_TEST(test_a_thread_has_the_stack_it_was_given)
{
    size_t bytes = 0;
    const weft_thread_options options = {.stack_bytes = 3 << 20};

    end(start(measure_stack, &bytes, &options));
    ck_assert_uint_ge(bytes, 3 << 20);
    ck_assert_uint_lt(bytes, 4 << 20);
}
END_TEST

static void *
note_cpu(void *arg)
{
    *(int *)arg = sched_getcpu();
    return NULL;
}

START_TEST(test_a_pinned_thread_runs_on_its_cpu)
{
    cpu_set_t all;

    ck_assert_int_eq(sched_getaffinity(0, sizeof(all), &all), 0);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        const weft_thread_options options = {.pin = true, .cpu = cpu};
        int seen = -1;
        if (!CPU_ISSET(cpu, &all))
            continue;
        end(start(note_cpu, &seen, &options));
        ck_assert_int_eq(seen, (int)cpu);
    }
}
END_TEST

START_TEST(test_default_name_is_thread_n)
{
    struct seen s;
    char name[32];

    weft_thread *t = start(look_at_myself, &s, NULL);
    snprintf(name, sizeof(name), "Thread-%llu",
             (unsigned long long)weft_thread_id(t));
    ck_assert_str_eq(weft_thread_name(t), name);
    end(t);
    ck_assert_str_eq(s.name, name);
    ck_assert_str_eq(s.system_name, name);
    ck_assert_str_eq(weft_thread_name(weft_thread_main()), "MainThread");
}
END_TEST

START_TEST(test_the_system_name_is_cut_on_a_character_boundary)
{
    static const struct {
        const char *full;
        const char *cut;
    } names[] = {
        {"", ""},
        {"123456789012345", "123456789012345"},
        {"1234567890123456", "123456789012345"},
        {"12345678901234\xc3\xa9", "12345678901234"}, /* e acute */
        {"1234567890123\xc3\xa9x", "1234567890123\xc3\xa9"},
        {"1234567890123\xe2\x82\xac", "1234567890123"},    /* euro */
        {"123456789012\xf0\x9f\xa7\xb5x", "123456789012"}, /* a thread */
        {"12345678901\xf0\x9f\xa7\xb5x", "12345678901\xf0\x9f\xa7\xb5"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const weft_thread_options options = {.name = names[i].full};
        struct seen s;
        weft_thread *t = start(look_at_myself, &s, &options);
        ck_assert_str_eq(weft_thread_name(t), names[i].full);
        end(t);
        ck_assert_str_eq(s.name, names[i].full);
        ck_assert_str_eq(s.system_name, names[i].cut);
    }
}
END_TEST

static void *
rename_myself(void *arg)
{
    char name[16];

    weft_thread_set_name(weft_thread_current(), "myself");
    pthread_getname_np(pthread_self(), name, sizeof(name));
    ck_assert_str_eq(name, "myself");
    return wait_at_gate(arg);
}

START_TEST(test_a_renamed_thread_is_renamed_for_the_system)
{
    char name[16];

    pthread_barrier_init(&gate, NULL, 2);
    weft_thread *t = start(wait_at_gate, NULL, NULL);
    const char *before = weft_thread_name(t);
    weft_thread_set_name(t, "another name, longer than the system's");
    ck_assert_str_eq(weft_thread_name(t),
                     "another name, longer than the system's");
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/task/%lld/comm",
             (long long)weft_thread_native_id(t));
    FILE *comm = fopen(path, "r");
    ck_assert_ptr_nonnull(comm);
    ck_assert_ptr_nonnull(fgets(name, sizeof(name), comm));
    fclose(comm);
    ck_assert_str_eq(name, "another name, l");
    ck_assert_int_eq(strncmp(before, "Thread-", 7), 0);
    weft_thread_set_name(t, NULL);
    ck_assert_str_eq(weft_thread_name(t), before);
    pthread_barrier_wait(&gate);
    end(t);

    t = start(rename_myself, NULL, NULL);
    pthread_barrier_wait(&gate);
    ck_assert_str_eq(weft_thread_name(t), "myself");
    ck_assert_int_eq(weft_thread_join(t, WEFT_FOREVER, NULL), WEFT_OK);
    weft_thread_set_name(t, "too late"); /* of no use, and no harm */
    ck_assert_str_eq(weft_thread_name(t), "too late");
    weft_thread_release(t);
}
END_TEST

static _Atomic bool stop;

static void *
read_name(void *arg)
{
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        const char *name = weft_thread_name(arg);
        const size_t n = strlen(name);
        ck_assert_uint_ge(n, 6);
        for (size_t i = 1; i < n; i++)
            ck_assert_int_eq(name[i], name[0]);
    }
    return NULL;
}

START_TEST(test_a_name_that_is_read_is_never_torn_or_freed)
{
    weft_thread *readers[3];
    weft_thread *named = weft_thread_current();

    weft_thread_set_name(named, "aaaaaa");
    for (int i = 0; i < 3; i++)
        readers[i] = start(read_name, named, NULL);
    for (int i = 0; i < 5000; i++) {
        char name[128];
        const size_t n = 6 + (size_t)i % 100;
        memset(name, 'a' + i % 26, n);
        name[n] = '\0';
        weft_thread_set_name(named, name);
    }
    atomic_store_explicit(&stop, true, memory_order_relaxed);
    for (int i = 0; i < 3; i++)
        end(readers[i]);
}
END_TEST

static void *
start_another(void *arg)
{
    const enum weft_daemon *wanted = arg;
    const weft_thread_options options = {.daemon = *wanted};
    static struct seen s;

    end(start(look_at_myself, &s, &options));
    return s.daemon ? arg : NULL;
}

START_TEST(test_daemon_is_inherited_unless_set)
{
    for (int outer = WEFT_DAEMON_INHERIT; outer <= WEFT_DAEMON_NO; outer++)
        for (int inner = WEFT_DAEMON_INHERIT; inner <= WEFT_DAEMON_NO;
             inner++) {
            const weft_thread_options options = {.daemon =
                                                     (enum weft_daemon)outer};
            enum weft_daemon wanted = (enum weft_daemon)inner;
            const bool expected =
                inner == WEFT_DAEMON_YES ||
                (inner == WEFT_DAEMON_INHERIT && outer == WEFT_DAEMON_YES);
            weft_thread *t = start(start_another, &wanted, &options);
            ck_assert_int_eq(weft_thread_is_daemon(t),
                             outer == WEFT_DAEMON_YES);
            ck_assert_int_eq(end(t) != NULL, expected);
        }
}
END_TEST

static void *
be_foreign(void *arg)
{
    weft_thread *t = weft_thread_current();
    char name[32];

    ck_assert_ptr_nonnull(t);
    ck_assert_ptr_eq(weft_thread_current(), t);
    ck_assert_ptr_ne(t, weft_thread_main());
    ck_assert_int_eq(weft_thread_native_id(t), syscall(SYS_gettid));
    snprintf(name, sizeof(name), "Foreign-%llu",
             (unsigned long long)weft_thread_id(t));
    ck_assert_str_eq(weft_thread_name(t), name);
    ck_assert(!weft_thread_is_daemon(t));
    ck_assert(weft_thread_is_alive(t));
    ck_assert_int_eq(weft_thread_join(t, WEFT_NOW, NULL), WEFT_DEADLOCK);
    *(weft_thread **)arg = weft_thread_retain(t);
    return NULL;
}

START_TEST(test_current_works_on_a_foreign_thread)
{
    pthread_t foreign;
    weft_thread *t = NULL;

    ck_assert_int_eq(pthread_create(&foreign, NULL, be_foreign, &t), 0);
    ck_assert_int_eq(pthread_join(foreign, NULL), 0);
    ck_assert(!weft_thread_is_alive(t));
    ck_assert_int_eq(weft_thread_join(t, WEFT_FOREVER, NULL), WEFT_INVALID);
    weft_thread_release(t);
}
END_TEST

START_TEST(test_main_is_the_thread_of_main)
{
    weft_thread *t = weft_thread_main();

    ck_assert_ptr_eq(weft_thread_current(), t);
    ck_assert_uint_eq(weft_thread_id(t), 1);
    ck_assert_int_eq(weft_thread_native_id(t), getpid());
    ck_assert(weft_thread_is_alive(t));
    ck_assert_int_eq(weft_thread_join(t, WEFT_NOW, NULL), WEFT_DEADLOCK);
}
END_TEST

START_TEST(test_a_thread_is_alive_from_its_start_to_its_end)
{
    pthread_barrier_init(&gate, NULL, 2);
    weft_thread *t = start(wait_at_gate, NULL, NULL);

    ck_assert(weft_thread_is_alive(t));
    pthread_barrier_wait(&gate);
    ck_assert_int_eq(weft_thread_join(t, WEFT_FOREVER, NULL), WEFT_OK);
    ck_assert(!weft_thread_is_alive(t));
    weft_thread_release(t);
}
END_TEST

START_TEST(test_a_released_thread_runs_on_and_cleans_up)
{
    pthread_barrier_init(&gate, NULL, 11);
    for (int i = 0; i < 10; i++)
        weft_thread_release(start(wait_at_gate, NULL, NULL));
    ck_assert_uint_eq(weft_thread_count(), 11);
    pthread_barrier_wait(&gate);
    while (weft_thread_count() > 1)
        sched_yield();
    weft_thread_release(NULL);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_join_gives_what_the_function_returned, 1},
        {&test_start_returns_after_the_thread_has_its_ids, 1},
        {&test_a_bad_argument_starts_nothing, 1},
        {&test_a_thread_has_the_stack_it_was_given, 1},
        {&test_a_pinned_thread_runs_on_its_cpu, 1},
        {&test_default_name_is_thread_n, 1},
        {&test_the_system_name_is_cut_on_a_character_boundary, 1},
        {&test_a_renamed_thread_is_renamed_for_the_system, 1},
        {&test_a_name_that_is_read_is_never_torn_or_freed, 1},
        {&test_daemon_is_inherited_unless_set, 1},
        {&test_current_works_on_a_foreign_thread, 1},
        {&test_main_is_the_thread_of_main, 1},
        {&test_a_thread_is_alive_from_its_start_to_its_end, 1},
        {&test_a_released_thread_runs_on_and_cleans_up, 1},
    };

    return run_tests("thread", tests, sizeof(tests) / sizeof(tests[0]), 20);
}
