/* SPDX-License-Identifier: MIT */
/*
 * writer.c - a buffer in front of write().
 *
 * A write to a pipe without a reader sends the thread a SIGPIPE, which ends
 * most programs.  It is blocked meanwhile, and taken away if it was not there
 * before.
 */
#include "base/writer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PIECE       1000
#define PATIENCE_MS 1000

void
weft_writer_say_(struct weft_writer *w, const char *format, ...)
{
    char piece[PIECE];
    va_list arguments;

    va_start(arguments, format);
    const int n = vsnprintf(piece, sizeof(piece), format, arguments);
    va_end(arguments);
    if (n <= 0)
        return;
    const size_t bytes = (size_t)n < PIECE ? (size_t)n : PIECE - 1;
    if (w->used + bytes > sizeof(w->text))
        weft_writer_flush_(w);
    memcpy(w->text + w->used, piece, bytes);
    w->used += bytes;
}

/* Whether the file can take more, now or soon. */
static bool
is_to_go_on(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    if (errno == EINTR)
        return true;
    return errno == EAGAIN && poll(&p, 1, PATIENCE_MS) == 1;
}

static bool
write_all(int fd, const char *text, size_t bytes)
{
    while (bytes > 0) {
        const ssize_t n = write(fd, text, bytes);
        if (n < 0 && !is_to_go_on(fd))
            return false;
        if (n > 0) {
            text += n;
            bytes -= (size_t)n;
        }
    }
    return true;
}

void
weft_writer_flush_(struct weft_writer *w)
{
    static const struct timespec at_once;
    sigset_t pipe_only;
    sigset_t pending;
    sigset_t mine;

    if (!w->failed && w->used > 0) {
        sigemptyset(&pipe_only);
        sigaddset(&pipe_only, SIGPIPE);
        sigpending(&pending);
        pthread_sigmask(SIG_BLOCK, &pipe_only, &mine);
        w->failed = !write_all(w->fd, w->text, w->used);
        if (w->failed && !sigismember(&pending, SIGPIPE))
            (void)sigtimedwait(&pipe_only, NULL, &at_once);
        pthread_sigmask(SIG_SETMASK, &mine, NULL);
    }
    w->used = 0;
}
