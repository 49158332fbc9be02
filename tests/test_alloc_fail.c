/* SPDX-License-Identifier: MIT */
#include "alloc_fail.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "testing.h"

static void *
take(int how)
{
    void *block = NULL;

    switch (how) {
    case 0:
        return malloc(100);
    case 1:
        return calloc(10, 10);
    case 2:
        return realloc(NULL, 100);
    case 3:
        return aligned_alloc(64, 128);
    case 4:
        errno = posix_memalign(&block, 64, 100);
        return block;
    default:
        block = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return block == MAP_FAILED ? NULL : block;
    }
}

static void
give_back(int how, void *block)
{
    if (how <= 4)
        free(block);
    else if (block != NULL)
        munmap(block, 4096);
}

/* All the ways of take(). */
#define WAYS 6

START_TEST(test_only_the_kth_allocation_fails)
{
    void *volatile block[4]; /* volatile: the compiler may not drop the pair */
    int error[4];

    alloc_fail_at(3);
    for (int k = 0; k < 4; k++) {
        errno = 0;
        block[k] = take(_i);
        error[k] = errno;
    }
    ck_assert_uint_eq(alloc_fail_stop(), 4);
    for (int k = 0; k < 4; k++) {
        ck_assert_int_eq(block[k] == NULL, k == 2);
        ck_assert_int_eq(error[k], k == 2 ? ENOMEM : 0);
        give_back(_i, block[k]);
    }
}
END_TEST

START_TEST(test_none_fails_after_stop)
{
    alloc_fail_at(2);
    void *volatile first = take(_i);
    const unsigned asked = alloc_fail_stop();
    void *volatile second = take(_i);

    ck_assert_uint_eq(asked, 1);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_nonnull(second);
    give_back(_i, first);
    give_back(_i, second);
}
END_TEST

START_TEST(test_live_counts_heap_blocks)
{
    alloc_fail_at(0);
    void *volatile armed = take(_i);
    alloc_fail_stop();
    void *volatile later = take(_i);

    ck_assert_uint_eq(alloc_live(), _i <= 4 ? 1 : 0);
    give_back(_i, later);
    ck_assert_uint_eq(alloc_live(), _i <= 4 ? 1 : 0);
    give_back(_i, armed);
    ck_assert_uint_eq(alloc_live(), 0);
}
END_TEST

START_TEST(test_live_follows_realloc)
{
    alloc_fail_at(0);
    void *volatile block = malloc(1);
    block = realloc(block, 100000);
    alloc_fail_stop();

    ck_assert_uint_eq(alloc_live(), 1);
    block = realloc(block, 200000);
    ck_assert_uint_eq(alloc_live(), 1);
    free(block);
    ck_assert_uint_eq(alloc_live(), 0);
}
END_TEST

START_TEST(test_failed_realloc_keeps_the_old_block)
{
    char *volatile old = malloc(1);

    ck_assert_ptr_nonnull(old);
    *old = 'x';
    alloc_fail_at(1);
    void *volatile grown = realloc(old, 1000);
    alloc_fail_stop();
    ck_assert_ptr_null(grown);
    ck_assert_int_eq(*old, 'x');
    free(old);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_only_the_kth_allocation_fails, WAYS},
        {&test_none_fails_after_stop, WAYS},
        {&test_live_counts_heap_blocks, WAYS},
        {&test_live_follows_realloc, 1},
        {&test_failed_realloc_keeps_the_old_block, 1},
    };

    return run_tests("alloc_fail", tests, sizeof(tests) / sizeof(tests[0]), 10);
}
