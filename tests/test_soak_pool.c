/* SPDX-License-Identifier: MIT */
/*
 * The checks of `soak pool`: the pools of the library pass, and each of the
 * broken ones is found, by the check that is there for it.
 */
#include <stdio.h>

#include "soak/pool.h"
#include "soak_broken.h"
#include "testing.h"

START_TEST(test_what_is_right_passes)
{
    soak_must_pass(soak_pools[_i]);
}
END_TEST

START_TEST(test_what_is_broken_is_found)
{
    soak_must_find(&broken[_i]);
}
END_TEST

int
main(void)
{
    /* What loses memory is the last. */
    const bool sees = soak_sees_memory();
    const struct test tests[] = {
        {&test_what_is_right_passes, (int)soak_pool_count},
        {&test_what_is_broken_is_found, (int)broken_count - !sees},
    };

    if (!sees)
        puts("left out: lost memory, which a sanitizer sees by itself");
    make_broken_pools();
    return run_tests("soak_pool", tests, sizeof(tests) / sizeof(tests[0]), 60);
}
