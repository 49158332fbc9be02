/* SPDX-License-Identifier: MIT */
#include "container/counter.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "base/percpu_port.h"
#include "testing.h"

/*
 * What a test is run over: the kinds, and PERCPU as it is where the system has
 * no restartable sequences, and where CPUs have numbers beyond the table.
 */
enum variant {
    VARIANT_PERCPU = WEFT_COUNTER_PERCPU,
    VARIANT_ATOMIC = WEFT_COUNTER_ATOMIC,
    VARIANT_MUTEX = WEFT_COUNTER_MUTEX,
    VARIANT_STRIPED,
    VARIANT_SHORT,
    VARIANTS
};

#define THREADS 8

static weft_counter *
make(int variant)
{
    weft_counter *c;

    if (variant < VARIANT_STRIPED) {
        ck_assert_int_eq(
            weft_counter_create(&c, (enum weft_counter_kind)variant), WEFT_OK);
        return c;
    }
    ck_assert_int_eq(weft_counter_create(&c, WEFT_COUNTER_PERCPU), WEFT_OK);
    c->by_cpu = variant == VARIANT_SHORT && owned_works() ? 1 : 0;
    return c;
}

START_TEST(test_create_stands_at_zero)
{
    weft_counter *c = make(_i);

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
    weft_counter *c = make(_i);

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
    weft_counter *c = make(_i);

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
    weft_counter *c = make(_i);

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

/* No addition is lost: to other threads, other CPUs, or signal handlers. */

#define ADDS         500000
#define ADDS_A_VISIT 4096 /* on one CPU before it moves to the next */

static weft_counter *under_test;
static cpu_set_t allowed;
static _Atomic int64_t added_by_handler;
static _Atomic int busy; /* threads that still add */

/* Move the calling thread to the next CPU it may use. */
static void
move_on(void)
{
    cpu_set_t one;
    size_t cpu = (size_t)sched_getcpu();

    do
        cpu = (cpu + 1) % CPU_SETSIZE;
    while (!CPU_ISSET(cpu, &allowed));
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof(one), &one);
}

static void
add_in_handler(int signal)
{
    (void)signal;
    weft_counter_add(under_test, 1);
    atomic_fetch_add_explicit(&added_by_handler, 1, memory_order_relaxed);
}

static void *
add_and_migrate(void *arg)
{
    const int64_t n = *(const int64_t *)arg;

    for (int i = 0; i < ADDS; i++) {
        if (i % ADDS_A_VISIT == 0)
            move_on();
        weft_counter_add(under_test, n);
    }
    atomic_fetch_sub_explicit(&busy, 1, memory_order_relaxed);
    return NULL;
}

START_TEST(test_no_addition_is_lost)
{
    static const int64_t n[THREADS] = {1, 1, -1, 7, 1, 1, -3, 1};
    struct sigaction action = {.sa_handler = add_in_handler};
    pthread_t thread[THREADS];
    int64_t sum = 0;

    under_test = make(_i);
    sched_getaffinity(0, sizeof(allowed), &allowed);
    sigaction(SIGUSR1, &action, NULL);
    atomic_store_explicit(&busy, THREADS, memory_order_relaxed);
    for (int i = 0; i < THREADS; i++) {
        int64_t step = n[i];
        ck_assert_int_eq(pthread_create(&thread[i], NULL, add_and_migrate,
                                        (void *)(uintptr_t)&n[i]),
                         0);
        sum += step * ADDS;
    }
    /* A handler cannot wait for the lock that the thread below it holds. */
    for (int i = 0; atomic_load_explicit(&busy, memory_order_relaxed) > 0; i++)
        if (_i != VARIANT_MUTEX)
            pthread_kill(thread[i % THREADS], SIGUSR1);
        else
            sched_yield();
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);

    sum += atomic_load_explicit(&added_by_handler, memory_order_relaxed);
    ck_assert_int_eq(weft_counter_sum(under_test), sum);
    weft_counter_destroy(under_test);
}
END_TEST

/*
 * One thread adds, and each signal moves it to another CPU.  The cell of the
 * CPU it left must stay as it was until it comes back: an addition that was
 * under way may not land there.
 */

#define MOVES 1000

static unsigned left_behind;     /* its number, and what it owned */
static int64_t owned_when_left;  /* of the adding thread and its handler */
static _Atomic int64_t moved;    /* signals handled */
static _Atomic int64_t strays;   /* additions to a CPU left behind */
static _Atomic int64_t in_total; /* additions made */

static int64_t
owned_by(unsigned cpu)
{
    return atomic_load_explicit(&under_test->cells[cpu].owned,
                                memory_order_relaxed);
}

static void
leave_cpu(int signal)
{
    (void)signal;
    if (atomic_load_explicit(&moved, memory_order_relaxed) > 0 &&
        owned_by(left_behind) != owned_when_left)
        atomic_fetch_add_explicit(&strays, 1, memory_order_relaxed);
    left_behind = (unsigned)sched_getcpu();
    move_on();
    owned_when_left = owned_by(left_behind);
    atomic_fetch_add_explicit(&moved, 1, memory_order_relaxed);
}

static void *
add_until_not_busy(void *arg)
{
    int64_t n = 0;

    (void)arg;
    for (; atomic_load_explicit(&busy, memory_order_relaxed) > 0; n++)
        weft_counter_add(under_test, 1);
    atomic_store_explicit(&in_total, n, memory_order_relaxed);
    return NULL;
}

START_TEST(test_addition_never_lands_on_a_cpu_left_behind)
{
    struct sigaction action = {.sa_handler = leave_cpu};
    pthread_t thread;

    under_test = make(VARIANT_PERCPU);
    sched_getaffinity(0, sizeof(allowed), &allowed);
    if (!owned_works() || CPU_COUNT(&allowed) < 2)
        return;
    sigaction(SIGUSR1, &action, NULL);
    atomic_store_explicit(&busy, 1, memory_order_relaxed);
    ck_assert_int_eq(pthread_create(&thread, NULL, add_until_not_busy, NULL),
                     0);
    for (int64_t i = 0; i < MOVES; i++) {
        pthread_kill(thread, SIGUSR1);
        while (atomic_load_explicit(&moved, memory_order_relaxed) <= i)
            sched_yield();
    }
    atomic_store_explicit(&busy, 0, memory_order_relaxed);
    pthread_join(thread, NULL);

    ck_assert_int_eq(atomic_load_explicit(&strays, memory_order_relaxed), 0);
    ck_assert_int_eq(weft_counter_sum(under_test),
                     atomic_load_explicit(&in_total, memory_order_relaxed));
    weft_counter_destroy(under_test);
}
END_TEST

/* Resets and sums while others add. */

#define ADDERS    4
#define RESETTERS 2

static _Atomic int64_t taken_away;

static void *
add_ones(void *arg)
{
    (void)arg;
    for (int i = 0; i < ADDS; i++)
        weft_counter_add(under_test, 1);
    atomic_fetch_sub_explicit(&busy, 1, memory_order_relaxed);
    return NULL;
}

static void *
reset_again_and_again(void *arg)
{
    int64_t taken = 0;
    bool *negative = arg;

    while (atomic_load_explicit(&busy, memory_order_relaxed) > 0) {
        int64_t one = weft_counter_reset(under_test);
        *negative |= one < 0;
        taken += one;
        *negative |= weft_counter_sum(under_test) < 0;
    }
    atomic_fetch_add_explicit(&taken_away, taken, memory_order_relaxed);
    return NULL;
}

START_TEST(test_resets_and_a_last_sum_count_each_addition_once)
{
    pthread_t adder[ADDERS];
    pthread_t resetter[RESETTERS];
    bool negative[RESETTERS] = {false};

    under_test = make(_i);
    atomic_store_explicit(&busy, ADDERS, memory_order_relaxed);
    for (int i = 0; i < RESETTERS; i++)
        ck_assert_int_eq(pthread_create(&resetter[i], NULL,
                                        reset_again_and_again, &negative[i]),
                         0);
    for (int i = 0; i < ADDERS; i++)
        ck_assert_int_eq(pthread_create(&adder[i], NULL, add_ones, NULL), 0);
    for (int i = 0; i < ADDERS; i++)
        pthread_join(adder[i], NULL);
    for (int i = 0; i < RESETTERS; i++) {
        pthread_join(resetter[i], NULL);
        ck_assert(!negative[i]);
    }

    int64_t taken = atomic_load_explicit(&taken_away, memory_order_relaxed);
    ck_assert_int_eq(taken + weft_counter_sum(under_test), ADDERS * ADDS);
    weft_counter_destroy(under_test);
}
END_TEST

/* release: tell -> acquire: tell; the value is how many additions were made. */
static _Atomic int64_t told;

static void *
add_and_tell(void *arg)
{
    (void)arg;
    for (int64_t i = 1; i <= ADDS; i++) {
        weft_counter_add(under_test, 1);
        /* release: tell */
        atomic_store_explicit(&told, i, memory_order_release);
    }
    return NULL;
}

START_TEST(test_sum_counts_what_happened_before)
{
    pthread_t thread;
    int64_t known;

    under_test = make(_i);
    ck_assert_int_eq(pthread_create(&thread, NULL, add_and_tell, NULL), 0);
    do {
        /* acquire: tell */
        known = atomic_load_explicit(&told, memory_order_acquire);
        ck_assert_int_ge(weft_counter_sum(under_test), known);
    } while (known < ADDS);
    pthread_join(thread, NULL);
    ck_assert_int_eq(weft_counter_sum(under_test), ADDS);
    weft_counter_destroy(under_test);
}
END_TEST

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

    under_test = make(_i);
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
    weft_counter *c = make(_i);
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
    sched_getaffinity(0, sizeof(allowed), &allowed);
    ck_assert_int_eq(create(&c, WEFT_COUNTER_PERCPU), WEFT_OK);
    add(c, 1);
    destroy(c);
    ck_assert_int_eq(dlclose(library), 0);
    move_on();
    move_on();
}
END_TEST

/* glibc's own switch: the whole program again, without registration. */
#define TUNABLES     "GLIBC_TUNABLES"
#define UNREGISTERED "glibc.pthread.rseq=0"

static bool
is_unregistered_run(void)
{
    const char *tunables = getenv(TUNABLES);
    return tunables != NULL && strstr(tunables, UNREGISTERED) != NULL;
}

START_TEST(test_all_of_this_holds_without_registration)
{
    if (is_unregistered_run())
        ck_assert(!owned_works());
    if (!owned_works())
        return;

    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        char name[] = "test_counter";
        char *const argv[] = {name, NULL};
        setenv(TUNABLES, UNREGISTERED, 1);
        setenv("CK_VERBOSITY", "silent", 1);
        unsetenv("CK_TAP_LOG_FILE_NAME");
        unsetenv("CK_XML_LOG_FILE_NAME");
        unsetenv("CK_LOG_FILE_NAME");
        execv("/proc/self/exe", argv);
        _exit(127);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
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
        {&test_no_addition_is_lost, VARIANTS},
        {&test_addition_never_lands_on_a_cpu_left_behind, 1},
        {&test_resets_and_a_last_sum_count_each_addition_once, VARIANTS},
        {&test_sum_counts_what_happened_before, VARIANTS},
        {&test_cells_grow_with_cpus_and_not_with_threads, VARIANTS},
        {&test_additions_take_the_way_the_variant_says, VARIANTS},
        {&test_library_can_be_unloaded, 1},
        {&test_all_of_this_holds_without_registration, 1},
    };

    return run_tests("counter", tests, sizeof(tests) / sizeof(tests[0]), 60);
}
