/* SPDX-License-Identifier: MIT */
/*
 * progress.c - the line that shows how far a run is, and the wish to stop it.
 *
 * The line is rewritten in place: a carriage return, the text, and blanks over
 * what was longer before.  Complaints take it away first.  One thread, the one
 * that runs the scenario, does all of this; the signal handler only sets a
 * flag, which carries no data and is relaxed.
 */
#include "progress.h"

#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)

static struct {
    const char *what; /* NULL: nothing is going on */
    double seconds;
    int64_t begin_ns;
    int64_t shown_s; /* the second that is on the screen */
    int width;       /* of the line on the screen; 0: there is none */
} now;

static atomic_bool interrupted;

int64_t
clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void
take_away(void)
{
    if (now.width > 0)
        fprintf(stderr, "\r%*s\r", now.width, "");
    now.width = 0;
}

void
complain(const char *format, ...)
{
    va_list arguments;

    take_away();
    fputs("weft-stress: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

void
progress_begin(const char *what, double seconds)
{
    now.what = what;
    now.seconds = seconds;
    now.begin_ns = clock_ns();
    now.shown_s = 0;
}

void
progress_step(void)
{
    if (now.what == NULL || isatty(STDERR_FILENO) == 0)
        return;
    const int64_t s = (clock_ns() - now.begin_ns) / NS_PER_S;
    if (s == now.shown_s)
        return;
    now.shown_s = s;

    char text[120];
    if (now.seconds > 0)
        snprintf(text, sizeof(text), "%.60s: %lld of %.0f s", now.what,
                 (long long)s, now.seconds);
    else
        snprintf(text, sizeof(text), "%.60s: %lld s", now.what, (long long)s);
    const int width = (int)strlen(text);
    fprintf(stderr, "\r%-*s", now.width, text);
    fflush(stderr);
    if (width > now.width)
        now.width = width;
}

void
progress_end(void)
{
    take_away();
    fflush(stderr);
    now.what = NULL;
}

static void
remember(int signal)
{
    (void)signal;
    atomic_store_explicit(&interrupted, true, memory_order_relaxed);
}

void
interrupt_listen(void)
{
    struct sigaction action = {.sa_handler = remember,
                               .sa_flags = SA_RESTART | (int)SA_RESETHAND};

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool
interrupt_came(void)
{
    return atomic_load_explicit(&interrupted, memory_order_relaxed);
}
