/* SPDX-License-Identifier: MIT */
#include "thread/waits.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <weft/event.h>
#include <weft/thread.h>

#include "base/tsan.h"
#include "testing.h"
#include "waiting.h"

static struct weft_waits first;
static struct weft_waits second;
static const _Atomic uint32_t word = 5;

static void
no_handlers(void)
{
    const struct sigaction plain = {.sa_handler = SIG_DFL};

    for (int n = 1; n < NSIG; n++)
        (void)sigaction(n, &plain, NULL);
}

static bool
look(struct weft_waits *w, uint32_t expected)
{
    struct weft_dl_found found[1];

    ck_assert(weft_waits_look_(w));
    (void)!weft_dl_find_(&w->picture, found, 1);
    return weft_waits_are_asleep_(w, &word, expected);
}

START_TEST(test_a_handler_of_a_signal_might_wake_somebody)
{
    struct sigaction handler = {.sa_handler = SIG_DFL};

    no_handlers();
    ck_assert(look(&first, 5));
    handler.sa_handler = (void (*)(int))no_handlers;
    ck_assert_int_eq(sigaction(SIGSEGV, &handler, NULL), 0);
    ck_assert(look(&first, 5));
    ck_assert_int_eq(sigaction(SIGTERM, &handler, NULL), 0);
    ck_assert(!look(&first, 5));
}
END_TEST

START_TEST(test_the_caller_sleeps_while_its_word_is_the_same)
{
    no_handlers();
    ck_assert(look(&first, 5));
    ck_assert(!look(&first, 6));
}
END_TEST

static pthread_barrier_t there;

static void *
be_there(void *unused)
{
    (void)pthread_barrier_wait(&there);
    (void)pthread_barrier_wait(&there);
    return unused;
}

START_TEST(test_a_thread_that_never_called_might_wake_somebody)
{
    pthread_t t;

    no_handlers();
    pthread_barrier_init(&there, NULL, 2);
    ck_assert_int_eq(pthread_create(&t, NULL, be_there, NULL), 0);
    (void)pthread_barrier_wait(&there);
    ck_assert(!look(&first, 5));
    (void)pthread_barrier_wait(&there);
    ck_assert_int_eq(pthread_join(t, NULL), 0);
}
END_TEST

static weft_event event;

static void *
wait_once(void *unused)
{
    (void)!weft_event_wait(&event, WEFT_FOREVER);
    return unused;
}

/* The picture as if the main thread waited, too. */
static void
look_at_all(struct weft_waits *w)
{
    struct weft_dl_found found[1];

    ck_assert(weft_waits_look_(w));
    w->picture.threads[0].state = WEFT_DL_BLOCKED;
    w->picture.threads[0].wait.rule = WEFT_DL_ANYBODY;
    ck_assert_uint_eq(weft_dl_find_(&w->picture, found, 1), 1);
}

START_TEST(test_who_has_run_meanwhile_has_not_slept_on)
{
    weft_thread *t;

    no_handlers();
    ck_assert_int_eq(weft_thread_start(&t, wait_once, NULL, NULL), WEFT_OK);
    until_waiting(&event, 1);
    do
        look_at_all(&first);
    while (!weft_waits_are_asleep_(&first, &word, 5));
    look_at_all(&second);
    ck_assert(weft_waits_are_asleep_(&second, &word, 5));
    ck_assert(weft_waits_slept_on_(&first, &second));
    second.tasks[1].switches++;
    ck_assert(!weft_waits_slept_on_(&first, &second));
    weft_event_set(&event);
    ck_assert_int_eq(weft_thread_join(t, WEFT_FOREVER, NULL), WEFT_OK);
    weft_thread_release(t);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_a_handler_of_a_signal_might_wake_somebody, 1},
        {&test_the_caller_sleeps_while_its_word_is_the_same, 1},
        {&test_a_thread_that_never_called_might_wake_somebody, 1},
        {&test_who_has_run_meanwhile_has_not_slept_on, 1},
    };

#ifdef WEFT_TSAN
    puts("left out: ThreadSanitizer has a thread of its own");
    return 77;
#endif
    if (in_emulator()) {
        puts("left out: qemu-user has handlers of its own");
        return 77;
    }
    return run_tests("asleep", tests, sizeof(tests) / sizeof(tests[0]), 60);
}
