/* SPDX-License-Identifier: MIT */
#include "base/panic.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testing.h"

/* What a child that ran `act` wrote to standard error, and how it ended. */
struct death {
    char words[2048];
    int wait_status;
};

/* qemu-user says so, in a line of its own, when its program is aborted. */
static void
drop_words_of_emulator(char *words)
{
    char *line = in_emulator() ? strstr(words, "qemu: uncaught") : NULL;

    if (line != NULL)
        *line = '\0';
}

static struct death
die_of(void (*act)(void))
{
    struct death d = {.wait_status = 0};
    int pipe_ends[2];
    size_t used = 0;

    ck_assert_int_eq(pipe(pipe_ends), 0);
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        dup2(pipe_ends[1], STDERR_FILENO);
        act();
        _exit(0);
    }
    close(pipe_ends[1]);
    for (ssize_t n; (n = read(pipe_ends[0], d.words + used,
                              sizeof(d.words) - 1 - used)) > 0;)
        used += (size_t)n;
    close(pipe_ends[0]);
    drop_words_of_emulator(d.words);
    ck_assert_int_eq(waitpid(child, &d.wait_status, 0), child);
    return d;
}

static void
assert_aborted(const struct death *d)
{
    ck_assert(WIFSIGNALED(d->wait_status));
    ck_assert_int_eq(WTERMSIG(d->wait_status), SIGABRT);
}

static int thing;

static void
panic_over_a_thing(void)
{
    weft_panic_("thing: it broke", &thing);
}

START_TEST(test_panic_names_what_and_where_in_one_line)
{
    const struct death d = die_of(panic_over_a_thing);
    char line[100];

    snprintf(line, sizeof(line), "weft: thing: it broke (object 0x%016lx)\n",
             (unsigned long)&thing);
    ck_assert_str_eq(d.words, line);
    assert_aborted(&d);
}
END_TEST

static void
panic_over_nothing(void)
{
    weft_panic_("thing: it broke", NULL);
}

START_TEST(test_panic_without_object_names_none)
{
    const struct death d = die_of(panic_over_nothing);

    ck_assert_str_eq(d.words, "weft: thing: it broke\n");
    assert_aborted(&d);
}
END_TEST

static void
panic_at_length(void)
{
    char text[4000];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    weft_panic_(text, &thing);
}

START_TEST(test_long_text_is_cut_and_the_object_still_named)
{
    const struct death d = die_of(panic_at_length);

    ck_assert_uint_gt(strlen(d.words), 400);
    ck_assert_uint_lt(strlen(d.words), 500);
    ck_assert_ptr_nonnull(strstr(d.words, "xx (object 0x"));
    ck_assert_int_eq(d.words[strlen(d.words) - 1], '\n');
    assert_aborted(&d);
}
END_TEST

static void
panic_unheard(void)
{
    close(STDERR_FILENO);
    weft_panic_("thing: it broke", &thing);
}

START_TEST(test_panic_aborts_though_nobody_hears)
{
    const struct death d = die_of(panic_unheard);

    ck_assert_str_eq(d.words, "");
    assert_aborted(&d);
}
END_TEST

static void
assert_what_holds(void)
{
    weft_assert_(thing == 0, &thing);
}

static void
assert_what_does_not(void)
{
    weft_assert_(thing == 1, &thing);
}

START_TEST(test_assertion_that_holds_is_silent)
{
    const struct death d = die_of(assert_what_holds);

    ck_assert_str_eq(d.words, "");
    ck_assert_int_eq(d.wait_status, 0);
}
END_TEST

START_TEST(test_assertion_fires_in_debug_builds_only)
{
    const struct death d = die_of(assert_what_does_not);

#ifdef WEFT_DEBUG
    ck_assert_ptr_nonnull(strstr(d.words, "test_panic.c:"));
    ck_assert_ptr_nonnull(strstr(d.words, "not true: thing == 1"));
    assert_aborted(&d);
#else
    ck_assert_str_eq(d.words, "");
    ck_assert_int_eq(d.wait_status, 0);
#endif
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_panic_names_what_and_where_in_one_line, 1},
        {&test_panic_without_object_names_none, 1},
        {&test_long_text_is_cut_and_the_object_still_named, 1},
        {&test_panic_aborts_though_nobody_hears, 1},
        {&test_assertion_that_holds_is_silent, 1},
        {&test_assertion_fires_in_debug_builds_only, 1},
    };

    return run_tests("panic", tests, sizeof(tests) / sizeof(tests[0]), 10);
}
