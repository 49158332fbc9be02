/* SPDX-License-Identifier: MIT */
/*
 * testing.h - what every test program does the same way.
 */
#ifndef TESTS_TESTING_H
#define TESTS_TESTING_H

#include <check.h>
#include <stdatomic.h>
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

/*
 * Check tells its parent of every assertion that holds, by a system call: most
 * of the time of a test with a loop.  Here it tells of each line once; where a
 * test dies, the line that is named is the last that was new.
 */
static inline void
mark_line(const char *file, int line)
{
    static atomic_bool is_marked[1024];
    atomic_bool *mine = &is_marked[line % 1024];

    if (atomic_load_explicit(mine, memory_order_relaxed))
        return;
    atomic_store_explicit(mine, true, memory_order_relaxed);
    (_mark_point)(file, line);
}
#define _mark_point(file, line) mark_line(file, line)

/* Whether an emulator runs this test: a cross build, configured with RUN. */
bool in_emulator(void);

#endif /* TESTS_TESTING_H */
