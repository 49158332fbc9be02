/* SPDX-License-Identifier: MIT */
/*
 * usage.h - who had the CPUs while something was measured.
 */
#ifndef STRESS_BENCH_USAGE_H
#define STRESS_BENCH_USAGE_H

#include <stdbool.h>

/* CPU time since the system began, but `ours` since the process began [s]. */
struct usage {
    bool known;
    double ours;
    double all;    /* of every process, ours too */
    double stolen; /* by the host, from a virtual machine */
    double clock;
};

struct usage usage_now(void);

/* Shares of the time that all CPUs together had between the two. */
struct usage_share {
    double ours;
    double others;
    double stolen;
};
struct usage_share usage_between(const struct usage *from,
                                 const struct usage *to, unsigned cpus);

#endif /* STRESS_BENCH_USAGE_H */
