/* SPDX-License-Identifier: MIT */
/*
 * ticks.h - time stamps for single operations: the finest clock of the
 * platform, its rate and its own cost.
 */
#ifndef STRESS_BENCH_TICKS_H
#define STRESS_BENCH_TICKS_H

#include <stdint.h>

extern const char ticks_name[];

/* A stamp; what the program does before is done, what follows has not begun. */
int64_t ticks_now(void);

/* The two below are measured the first time, by one thread. */
double ticks_in_ns(void);      /* of one tick */
int64_t ticks_of_itself(void); /* between two stamps with nothing between */

#endif /* STRESS_BENCH_TICKS_H */
