/* SPDX-License-Identifier: MIT */
/*
 * alloc_fail.h - makes a chosen allocation of the library fail.
 *
 *   shape      malloc, calloc, realloc, aligned_alloc, posix_memalign, free
 *              and mmap as called from the objects of this link pass through
 *              here first; what shared libraries allocate does not
 *   requires   the program is linked with $(alloc_fail_ldflags):
 *
 *                  tests_test_ring_LDFLAGS = $(alloc_fail_ldflags)
 *
 *              and no assertion of Check between alloc_fail_at and
 *              alloc_fail_stop: Check allocates, and it is part of this link
 *
 * Every way in which a create call can run out of memory, one by one:
 *
 *       for (unsigned k = 1;; k++) {
 *           weft_ring *r = NULL;
 *           alloc_fail_at(k);
 *           const enum weft_status s = weft_ring_create(&r, 8, impl);
 *           const unsigned asked = alloc_fail_stop();
 *           if (asked < k) {
 *               ck_assert_int_eq(s, WEFT_OK);
 *               weft_ring_destroy(r);
 *               ck_assert_uint_eq(alloc_live(), 0);
 *               break;
 *           }
 *           ck_assert_int_eq(s, WEFT_NO_MEMORY);
 *           ck_assert_ptr_null(r);
 *           ck_assert_uint_eq(alloc_live(), 0);
 *       }
 */
#ifndef TESTS_ALLOC_FAIL_H
#define TESTS_ALLOC_FAIL_H

/*
 * Make the k-th allocation from now fail, and only that one.
 *
 *   k          at least 1; 0 counts and lets every one pass
 *   threads    any; the allocations of all threads are counted
 */
void alloc_fail_at(unsigned k);

/*
 * Let every allocation pass from now on.
 *
 *   returns    how many were asked for since alloc_fail_at, the failed one
 *              included: less than its `k` if none was made to fail
 */
unsigned alloc_fail_stop(void);

/*
 * Return how many heap blocks are not yet freed, of those allocated between an
 * alloc_fail_at and its alloc_fail_stop.  Mappings are not counted.
 */
unsigned alloc_live(void);

#endif /* TESTS_ALLOC_FAIL_H */
