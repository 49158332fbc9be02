/* SPDX-License-Identifier: MIT */
/*
 * confirm.c - runs of a program, one after another.
 *
 * The first is as without: its standard input, output and error are the
 * program's.  The shim writes what it predicts to a file.  The others are for
 * one prediction each, which is told to the shim in a file of its own; they read
 * the same input again, if it is a file, and their output goes nowhere, but not
 * what they write to standard error.  One that takes too long is killed.
 *
 * A run is a child that dies when this process does.
 */
#include "deadlock/confirm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST      8 /* runs besides the first */
#define ROOM      65536
#define AT_LEAST  20 /* [s] that a run may take, and */
#define LONGER_BY 10 /* times as long as the first */

static FILE *out;

static void
fail(const char *what)
{
    fprintf(stderr, "weft-deadlock: %s: %s\n", what, strerror(errno));
    exit(2);
}

static double
now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void
set_number(const char *variable, long n)
{
    char text[24];

    snprintf(text, sizeof(text), "%ld", n);
    setenv(variable, text, 1);
}

/* A file for the shim, the name of which a variable has. */
static int
make_file(const char *variable, char name[64])
{
    snprintf(name, 64, "/tmp/weft-deadlock.XXXXXX");
    const int fd = mkostemp(name, O_CLOEXEC);

    if (fd < 0)
        fail(name);
    setenv(variable, name, 1);
    return fd;
}

/* --- runs ----------------------------------------------------------------- */

static _Noreturn void
become(char **argv, bool again)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    set_number("WEFT_DEADLOCK_PID", (long)getpid());
    if (again) {
        unsetenv("WEFT_DEADLOCK_TIMEOUT"); /* there is another limit */
        const int nowhere = open("/dev/null", O_RDWR);
        if (lseek(STDIN_FILENO, 0, SEEK_CUR) < 0)
            dup2(nowhere, STDIN_FILENO);
        dup2(nowhere, STDOUT_FILENO);
        close(nowhere);
    }
    execvp(argv[0], argv);
    fprintf(stderr, "weft-deadlock: %s: %s\n", argv[0], strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
}

/* Run it; `most` in seconds, 0: for ever.  Returns what waitpid says; -1: it took
 * too long. */
static int
run(char **argv, bool again, double most)
{
    const struct timespec pause = {0, 20 * 1000000};
    const double end = now_s() + most;
    int status = 0;

    fflush(NULL);
    const pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0)
        become(argv, again);
    /* Who interrupts the program means the program. */
    void (*const was_int)(int) = signal(SIGINT, SIG_IGN);
    void (*const was_quit)(int) = signal(SIGQUIT, SIG_IGN);
    bool killed = false;
    while (waitpid(child, &status, most > 0 ? WNOHANG : 0) != child) {
        if (most > 0 && !killed && now_s() > end)
            killed = kill(child, SIGKILL) == 0;
        if (most > 0)
            nanosleep(&pause, NULL);
    }
    signal(SIGINT, was_int);
    signal(SIGQUIT, was_quit);
    return killed ? -1 : status;
}

/* --- predictions ---------------------------------------------------------- */

static size_t
read_all(int fd, char text[ROOM])
{
    const ssize_t n = pread(fd, text, ROOM - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

/* Cut the text behind the word that begins one; NULL: there is none. */
static char *
cut_prediction(char **text)
{
    static const char word[] = "prediction\n";
    char *begin = *text != NULL ? strstr(*text, word) : NULL;

    if (begin == NULL)
        return NULL;
    begin += sizeof(word) - 1;
    *text = strstr(begin, word);
    if (*text != NULL && *text > begin)
        (*text)[-1] = '\0';
    return begin;
}

/* Hold threads up as one prediction says; returns whether they hang. */
static bool
try_one(char **argv, int number, const char *prediction, double most)
{
    char name[64];
    char text[ROOM];
    const int fd = make_file("WEFT_DEADLOCK_CONFIRM", name);

    if (dprintf(fd, "%s\n", prediction) < 0)
        fail(name);
    const int status = run(argv, true, most);
    read_all(fd, text);
    close(fd);
    unlink(name);
    const bool came = strstr(text, "confirmed\n") != NULL;
    if (came)
        fprintf(out, "weft: confirmed: deadlock %d happened in run %d\n",
                number, number + 1);
    else
        fprintf(out,
                "weft: not confirmed: deadlock %d did not happen in run %d%s\n",
                number, number + 1,
                status == -1 ? ", which was ended as it took too long" : "");
    return came;
}

int
weft_confirm_(char **argv, const char *output, int status)
{
    char name[64];
    char text[ROOM];
    char *rest = text;
    bool any = false;
    const int plan = make_file("WEFT_DEADLOCK_PLAN", name);
    const off_t input = lseek(STDIN_FILENO, 0, SEEK_CUR);
    const double begin = now_s();

    const int first = run(argv, false, 0);
    const double most = AT_LEAST + LONGER_BY * (now_s() - begin);
    read_all(plan, text);
    close(plan);
    unlink(name);
    unsetenv("WEFT_DEADLOCK_PLAN");
    out = output != NULL ? fopen(output, "ae") : stderr;
    if (out == NULL)
        fail(output);
    for (int i = 1; i <= MOST; i++) {
        const char *prediction = cut_prediction(&rest);
        if (prediction == NULL)
            break;
        if (input >= 0)
            lseek(STDIN_FILENO, input, SEEK_SET);
        any = try_one(argv, i, prediction, most) || any;
    }
    fflush(out);
    if (any)
        return status;
    if (WIFSIGNALED(first)) {
        signal(WTERMSIG(first), SIG_DFL);
        raise(WTERMSIG(first));
    }
    return WEXITSTATUS(first);
}
