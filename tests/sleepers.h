/* SPDX-License-Identifier: MIT */
/*
 * sleepers.h - who sleeps in the kernel, and with how many CPUs.
 */
#ifndef TESTS_SLEEPERS_H
#define TESTS_SLEEPERS_H

#include <check.h>
#include <stdbool.h>

/* How many threads sleep on `word` now. */
unsigned sleepers(const void *word);

/* Return when `n` threads sleep on `word`. */
void await_sleepers(const void *word, unsigned n);

/* Let this process have one CPU, or all it had. */
void have_one_cpu(bool one);

/* As ck_assert, for loops: that one writes each success to a file. */
#define must(condition)                               \
    do                                                \
        if (!(condition))                             \
            ck_abort_msg("not true: %s", #condition); \
    while (0)

#endif /* TESTS_SLEEPERS_H */
