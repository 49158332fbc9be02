/* SPDX-License-Identifier: MIT */
#include <weft/status.h>

#include "testing.h"

START_TEST(test_name_is_the_constant)
{
    ck_assert_str_eq(weft_status_name(WEFT_OK), "WEFT_OK");
    ck_assert_str_eq(weft_status_name(WEFT_TIMEOUT), "WEFT_TIMEOUT");
    ck_assert_str_eq(weft_status_name(WEFT_NOT_OWNER), "WEFT_NOT_OWNER");
    ck_assert_str_eq(weft_status_name(WEFT_SYSTEM), "WEFT_SYSTEM");
}
END_TEST

START_TEST(test_every_status_has_words_of_its_own)
{
    for (int a = WEFT_OK; a <= WEFT_SYSTEM; a++) {
        ck_assert_ptr_nonnull(weft_status_name((enum weft_status)a));
        for (int b = WEFT_OK; b < a; b++) {
            ck_assert_str_ne(weft_status_name((enum weft_status)a),
                             weft_status_name((enum weft_status)b));
            ck_assert_str_ne(weft_status_text((enum weft_status)a),
                             weft_status_text((enum weft_status)b));
        }
    }
}
END_TEST

START_TEST(test_value_out_of_range_is_unknown)
{
    static const int wrong[] = {-1, WEFT_SYSTEM + 1, 1 << 20};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        enum weft_status s = (enum weft_status)wrong[i];
        ck_assert_str_eq(weft_status_name(s), "WEFT_UNKNOWN");
        ck_assert_str_eq(weft_status_text(s), "unknown status");
    }
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_name_is_the_constant, 1},
        {&test_every_status_has_words_of_its_own, 1},
        {&test_value_out_of_range_is_unknown, 1},
    };

    return run_tests("status", tests, sizeof(tests) / sizeof(tests[0]), 10);
}
