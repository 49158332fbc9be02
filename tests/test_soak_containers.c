/* SPDX-License-Identifier: MIT */
/*
 * The checks of `soak containers`: each container of the library passes, and
 * each of the broken ones is found, by the check that is there for it.
 */
#include <stdlib.h>
#include <string.h>

#include "soak/containers.h"
#include "soak_broken.h"
#include "soak_broken_queues.h"
#include "testing.h"

START_TEST(test_what_is_right_passes)
{
    soak_must_pass(soak_containers[_i]);
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
    const struct test tests[] = {
        {&test_what_is_right_passes, (int)soak_container_count},
        {&test_what_is_broken_is_found, (int)broken_count},
    };

    make_broken_queues();
    return run_tests("soak_containers", tests, sizeof(tests) / sizeof(tests[0]),
                     60);
}
