/* SPDX-License-Identifier: MIT */
#include "deadlocks.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

weft_mutex a;
weft_mutex b;
static int messages = -1; /* what goes to stderr */

void
listen_to_stderr(void)
{
    messages = memfd_create("stderr", 0);
    ck_assert_int_ge(messages, 0);
    ck_assert_int_eq(dup2(messages, STDERR_FILENO), STDERR_FILENO);
}

static bool
has(int fd, const char *text)
{
    static char all[65536];
    const ssize_t n = pread(fd, all, sizeof(all) - 1, 0);

    all[n > 0 ? n : 0] = '\0';
    return strstr(all, text) != NULL;
}

bool
has_said(const char *text)
{
    return has(messages, text);
}

void
forget_what_was_said(void)
{
    ck_assert_int_eq(ftruncate(messages, 0), 0);
}

bool
file_has(const char *path, const char *text)
{
    const int fd = open(path, O_RDONLY);
    const bool found = fd >= 0 && has(fd, text);

    close(fd);
    return found;
}

/* Also where no test runs, so nothing of Check. */
weft_thread *
start(weft_fn *fn, void *arg)
{
    const weft_thread_options options = {.daemon = WEFT_DAEMON_YES};
    weft_thread *t;

    if (weft_thread_start(&t, fn, arg, &options) != WEFT_OK)
        abort();
    return t;
}

void *
join(weft_thread *t)
{
    void *result = NULL;

    ck_assert_int_eq(weft_thread_join(t, WEFT_FOREVER, &result), WEFT_OK);
    weft_thread_release(t);
    return result;
}

void *
as_pointer(enum weft_status s)
{
    return (void *)(uintptr_t)s;
}

void *
lock_a(void *unused)
{
    const enum weft_status s = weft_mutex_lock(&a);

    (void)unused;
    if (s == WEFT_OK)
        weft_mutex_unlock(&a);
    return as_pointer(s);
}

void *
lock_b_then_a(void *unused)
{
    weft_mutex_lock(&b);
    void *s = lock_a(unused);
    weft_mutex_unlock(&b);
    return s;
}
