/* SPDX-License-Identifier: MIT */
/*
 * 19_log_monitor.c FILE ... - print lines as they come to log files, to Ctrl-C.
 * A thread per file looks every 200 ms; the stop event is its clock, so that it
 * ends at once, not after a sleep.  A handler must not call Weft: main blocks
 * the signals before any thread starts, and takes them with sigwait.
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <weft/weft.h>

static weft_event stop = WEFT_EVENT_INIT;

static void *
follow(void *name)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    bool is_told, is_other; /* to stop; file under that name: it was rotated */
    struct stat now, ours;
    FILE *f = fopen(name, "r");

    if (f == NULL || fseeko(f, 0, SEEK_END) != 0)
        return weft_fail(errno, "cannot follow %s", (char *)name);
    printf("%s: following\n", (char *)name);
    do {
        is_told = weft_event_wait(&stop, weft_in_ms(200)) == WEFT_OK;
        is_other = stat(name, &now) == 0 && fstat(fileno(f), &ours) == 0 &&
                   (now.st_ino != ours.st_ino || now.st_size < ftello(f));
        while ((n = getline(&line, &room, f)) > 0 && line[n - 1] == '\n')
            printf("%s: %s", (char *)name, line);
        fseeko(f, n > 0 ? -n : 0, SEEK_CUR); /* half a line: the next time */
    } while (is_other ? (f = freopen(name, "r", f)) != NULL : !is_told);
    free(line);
    return f != NULL && fclose(f) == 0 ? NULL : weft_fail(errno, "lost a log");
}

int
main(int argc, char **argv)
{
    weft_thread *t;
    sigset_t quit;

    sigemptyset(&quit);
    sigaddset(&quit, SIGINT);
    sigaddset(&quit, SIGTERM);
    sigprocmask(SIG_BLOCK, &quit, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0); /* lines, also into a pipe */
    for (int i = 1; i < argc; weft_thread_release(t), i++)
        if (weft_thread_start(&t, follow, argv[i], NULL) != WEFT_OK)
            abort();
    sigwait(&quit, &(int){0});
    weft_event_set(&stop); /* and, as main returns, all threads are joined */
}
