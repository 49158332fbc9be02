/* SPDX-License-Identifier: MIT */
#include "base/symbol.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/stack.h"
#include "config.h"
#include "testing.h"

static struct weft_symbols *
find(uintptr_t address)
{
    struct weft_symbols *s = weft_symbols_create_(4);

    ck_assert_ptr_nonnull(s);
    weft_symbols_add_(s, address);
    weft_symbols_find_(s, weft_in_s(60));
    return s;
}

__attribute__((noinline)) static int
a_static_function(int n)
{
    return n + 1; /* the line of it */
}

START_TEST(test_static_function_has_its_name)
{
    const uintptr_t address = (uintptr_t)&a_static_function;
    struct weft_symbols *s = find(address);
    const struct weft_symbol *y = weft_symbols_get_(s, address);

    ck_assert_str_eq(y->function, "a_static_function");
    ck_assert_uint_eq(y->offset, 0);
    ck_assert_str_eq(y->module, "test_symbol");
    ck_assert_int_eq(a_static_function(1), 2);
    weft_symbols_destroy_(s);
}
END_TEST

START_TEST(test_function_has_file_and_line_where_libdw_is)
{
    const uintptr_t address = (uintptr_t)&a_static_function;
    struct weft_symbols *s = find(address);
    const struct weft_symbol *y = weft_symbols_get_(s, address);

#ifdef HAVE_LIBDW
    const char *slash = strrchr(y->file, '/');
    ck_assert_str_eq(slash != NULL ? slash + 1 : y->file, "test_symbol.c");
    ck_assert_uint_gt(y->line, 20);
    ck_assert_uint_lt(y->line, 50);
#else
    ck_assert_str_eq(y->file, "");
    ck_assert_uint_eq(y->line, 0);
#endif
    weft_symbols_destroy_(s);
}
END_TEST

START_TEST(test_function_of_a_shared_library_has_its_plainest_name)
{
    const uintptr_t address = (uintptr_t)dlsym(RTLD_NEXT, "read");
    struct weft_symbols *s = find(address);
    const struct weft_symbol *y = weft_symbols_get_(s, address);

    ck_assert_str_eq(y->function, "read");
    ck_assert(strncmp(y->module, "lib", 3) == 0);
    weft_symbols_destroy_(s);
}
END_TEST

START_TEST(test_what_is_no_code_has_no_name)
{
    static const char data[] = "data";
    struct weft_symbols *s = find((uintptr_t)data);

    ck_assert_str_eq(weft_symbols_get_(s, (uintptr_t)data)->function, "");
    weft_symbols_add_(s, 1);
    weft_symbols_find_(s, weft_in_s(60));
    ck_assert_uint_eq(weft_symbols_get_(s, 1)->mapping, 0);
    ck_assert_str_eq(weft_symbols_get_(s, 1)->module, "");
    ck_assert_ptr_null(weft_symbols_get_(s, 2));
    weft_symbols_destroy_(s);
}
END_TEST

START_TEST(test_addresses_are_kept_once_and_no_more_than_there_is_room_for)
{
    struct weft_symbols *s = weft_symbols_create_(100);

    for (uintptr_t i = 1; i <= 300; i++)
        weft_symbols_add_(s, i % 150 + 1);
    ck_assert_uint_eq(s->count, 100);
    ck_assert_ptr_nonnull(weft_symbols_get_(s, 2));
    weft_symbols_destroy_(s);
    weft_symbols_destroy_(NULL);
}
END_TEST

START_TEST(test_nothing_but_the_set_is_changed)
{
    signal(SIGCHLD, SIG_DFL);
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &child, NULL);
    setenv("DEBUGINFOD_URLS", "", 1);
    errno = 77;
    struct weft_symbols *s = find((uintptr_t)&a_static_function);
    ck_assert_int_eq(errno, 77);
    sigset_t pending;
    sigpending(&pending);
    ck_assert(!sigismember(&pending, SIGCHLD));
    ck_assert_int_eq(waitpid(-1, NULL, __WALL | WNOHANG), -1);
    ck_assert_ptr_nonnull(getenv("DEBUGINFOD_URLS"));
    weft_symbols_destroy_(s);
}
END_TEST

START_TEST(test_no_debuginfod_is_asked)
{
    struct sockaddr_in here = {.sin_family = AF_INET};
    socklen_t size = sizeof(here);
    char url[64];
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (server < 0 || bind(server, (struct sockaddr *)&here, size) != 0 ||
        listen(server, 5) != 0)
        return; /* no network here */
    getsockname(server, (struct sockaddr *)&here, &size);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", ntohs(here.sin_port));
    setenv("DEBUGINFOD_URLS", url, 1);
    setenv("DEBUGINFOD_TIMEOUT", "1", 1);
    /* Nobody has the debugging information of the compiler's library. */
    void *foreign = dlsym(RTLD_DEFAULT, "_Unwind_Backtrace");
    ck_assert_ptr_nonnull(foreign);
    weft_symbols_destroy_(find((uintptr_t)foreign));
    ck_assert_int_eq(accept(server, NULL, NULL), -1);
    close(server);
}
END_TEST

START_TEST(test_names_of_the_first_step_remain_when_there_is_no_time)
{
    const uintptr_t address = (uintptr_t)&a_static_function;
    struct weft_symbols *s = weft_symbols_create_(1);

    weft_symbols_add_(s, address);
    weft_symbols_find_(s, WEFT_NOW); /* whatever it has by then */
    const char *name = weft_symbols_get_(s, address)->function;
    ck_assert(name[0] == '\0' || strcmp(name, "a_static_function") == 0);
    weft_symbols_destroy_(s);
}
END_TEST

START_TEST(test_elf_tables_are_read_without_a_copy)
{
    const uintptr_t address = (uintptr_t)&a_static_function + 1;
    struct weft_symbols *s = weft_symbols_create_(1);

    weft_symbols_add_(s, address);
    weft_symbols_read_elf_(s);
    const struct weft_symbol *y = weft_symbols_get_(s, address);
    ck_assert_str_eq(y->function, "a_static_function");
    ck_assert_uint_eq(y->offset, 1);
    weft_symbols_destroy_(s);
}
END_TEST

__attribute__((noinline)) static void
outer(struct weft_stack *s)
{
    weft_stack_capture_(s, 0);
    __asm__ volatile(""); /* not the last call */
}

START_TEST(test_stack_begins_with_its_caller)
{
    struct weft_stack stack;

    outer(&stack);
    ck_assert_uint_gt(stack.count, 2);
    struct weft_symbols *s = find(stack.calls[0]);
    ck_assert_str_eq(weft_symbols_get_(s, stack.calls[0])->function, "outer");
    weft_symbols_destroy_(s);
}
END_TEST

__attribute__((noinline)) static int
deep(struct weft_stack *s, int n)
{
    if (n == 0)
        weft_stack_capture_(s, 0);
    else
        n += deep(s, n - 1);
    __asm__ volatile("" : "+r"(n));
    return n;
}

START_TEST(test_deep_stack_is_cut)
{
    struct weft_stack stack;

    deep(&stack, 3 * WEFT_STACK_MAX);
    ck_assert_uint_eq(stack.count, WEFT_STACK_MAX);
    ck_assert(stack.cut);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_static_function_has_its_name, 1},
        {&test_function_has_file_and_line_where_libdw_is, 1},
        {&test_function_of_a_shared_library_has_its_plainest_name, 1},
        {&test_what_is_no_code_has_no_name, 1},
        {&test_addresses_are_kept_once_and_no_more_than_there_is_room_for, 1},
        {&test_nothing_but_the_set_is_changed, 1},
        {&test_no_debuginfod_is_asked, 1},
        {&test_names_of_the_first_step_remain_when_there_is_no_time, 1},
        {&test_elf_tables_are_read_without_a_copy, 1},
        {&test_stack_begins_with_its_caller, 1},
        {&test_deep_stack_is_cut, 1},
    };

    return run_tests("symbol", tests, sizeof(tests) / sizeof(tests[0]), 60);
}
