/* SPDX-License-Identifier: MIT */
/*
 * values.c - seconds and signals, as people write them.
 */
#include "deadlock/values.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define YEAR_S (365 * 24 * 3600)

int64_t
weft_value_ms_(const char *text)
{
    char *end;

    if (text[strspn(text, "0123456789.")] != '\0')
        return 0;
    const double s = strtod(text, &end);
    if (end == text || *end != '\0' || !(s > 0) || s > YEAR_S)
        return 0;
    const int64_t ms = (int64_t)(s * 1000);
    return ms > 0 ? ms : 1;
}

/* Of those that have a meaning for people; numbers differ between machines. */
static const struct {
    const char *name;
    int number;
} signals[] = {
    {"HUP", SIGHUP},     {"INT", SIGINT},       {"QUIT", SIGQUIT},
    {"USR1", SIGUSR1},   {"USR2", SIGUSR2},     {"PIPE", SIGPIPE},
    {"ALRM", SIGALRM},   {"TERM", SIGTERM},     {"CHLD", SIGCHLD},
    {"CONT", SIGCONT},   {"TSTP", SIGTSTP},     {"TTIN", SIGTTIN},
    {"TTOU", SIGTTOU},   {"URG", SIGURG},       {"XCPU", SIGXCPU},
    {"XFSZ", SIGXFSZ},   {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF},
    {"WINCH", SIGWINCH}, {"IO", SIGIO},         {"PWR", SIGPWR},
};

int
weft_value_signal_(const char *text)
{
    const char *name = strncmp(text, "SIG", 3) == 0 ? text + 3 : text;
    char *end;
    const long n = strtol(text, &end, 10);

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        if (strcmp(name, signals[i].name) == 0 ||
            (end != text && *end == '\0' && n == signals[i].number))
            return signals[i].number;
    return end != text && *end == '\0' && n >= SIGRTMIN && n <= SIGRTMAX
               ? (int)n
               : 0;
}
