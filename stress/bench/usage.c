/* SPDX-License-Identifier: MIT */
/*
 * usage.c - from /proc/stat, whose first line counts ticks of all CPUs: user,
 * nice, system, idle, waiting for disks, interrupts, soft interrupts, stolen.
 */
#include "bench/usage.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "progress.h"

static double
seconds(const struct timeval *t)
{
    return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

struct usage
usage_now(void)
{
    struct usage u = {.clock = (double)clock_ns() / 1e9};
    unsigned long long t[8] = {0};
    struct rusage mine;
    FILE *f = fopen("/proc/stat", "re");

    if (f == NULL)
        return u;
    u.known = fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0],
                     &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]) == 8 &&
              getrusage(RUSAGE_SELF, &mine) == 0;
    fclose(f);
    if (!u.known)
        return u;
    const double tick_s = 1.0 / (double)sysconf(_SC_CLK_TCK);
    u.ours = seconds(&mine.ru_utime) + seconds(&mine.ru_stime);
    u.all = (double)(t[0] + t[1] + t[2] + t[5] + t[6]) * tick_s;
    u.stolen = (double)t[7] * tick_s;
    return u;
}

struct usage_share
usage_between(const struct usage *from, const struct usage *to, unsigned cpus)
{
    struct usage_share s = {0};
    const double whole = (to->clock - from->clock) * cpus;

    if (!from->known || !to->known || whole <= 0)
        return s;
    s.ours = (to->ours - from->ours) / whole;
    s.others = (to->all - from->all) / whole - s.ours;
    s.stolen = (to->stolen - from->stolen) / whole;
    /* Ticks are coarse: a little less than nothing is nothing. */
    if (s.others < 0)
        s.others = 0;
    return s;
}
