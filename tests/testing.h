/* SPDX-License-Identifier: MIT */
/*
 * testing.h - what every test program does the same way.
 */
#ifndef TESTS_TESTING_H
#define TESTS_TESTING_H

#include <check.h>
#include <stdbool.h>

struct test {
    const TTest *const *run; /* the address of what START_TEST named */
    int variants;            /* run it with _i from 0 to variants - 1 */
};

/*
 * Run the tests of `concept` and return the exit status of the program.  Each
 * runs in a process of its own and is stopped after `seconds`, or after the
 * multiple of it in CK_TIMEOUT_MULTIPLIER.
 */
int run_tests(const char *concept, const struct test *tests, size_t count,
              double seconds);

/* Whether an emulator runs this test: a cross build, configured with RUN. */
bool in_emulator(void);

#endif /* TESTS_TESTING_H */
