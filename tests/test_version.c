/* SPDX-License-Identifier: MIT */
#include <weft/version.h>

#include <stdio.h>

#include "testing.h"

START_TEST(test_library_is_as_old_as_its_headers)
{
    ck_assert_str_eq(weft_version(), WEFT_VERSION);
}
END_TEST

START_TEST(test_numbers_make_the_string)
{
    char text[64];

    snprintf(text, sizeof(text), "%d.%d.%d", WEFT_VERSION_MAJOR,
             WEFT_VERSION_MINOR, WEFT_VERSION_PATCH);
    ck_assert_str_eq(text, WEFT_VERSION);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_library_is_as_old_as_its_headers, 1},
        {&test_numbers_make_the_string, 1},
    };

    return run_tests("version", tests, sizeof(tests) / sizeof(tests[0]), 10);
}
