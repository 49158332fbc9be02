/* SPDX-License-Identifier: MIT */
/*
 * testing.c - runs a table of tests under Check.
 */
#include "testing.h"

#include <stdlib.h>

int
run_tests(const char *concept, const struct test *tests, size_t count,
          double seconds)
{
    Suite *suite = suite_create(concept);
    TCase *all = tcase_create(concept);

    tcase_set_timeout(all, seconds);
    for (size_t i = 0; i < count; i++)
        tcase_add_loop_test(all, *tests[i].run, 0, tests[i].variants);
    suite_add_tcase(suite, all);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

bool
in_emulator(void)
{
    const char *run = getenv("RUN");

    return run != NULL && run[0] != '\0';
}
