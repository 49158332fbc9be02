/* SPDX-License-Identifier: MIT */
/*
 * pools_openmp_none.c - the compiler has no OpenMP, or not gcc's.
 */
#include "bench/pools.h"

const struct pool_job pool_openmp_fibs[] = {{.name = NULL}};
const struct pool_job pool_openmp_queens[] = {{.name = NULL}};
const struct pool_job pool_openmp_trees[] = {{.name = NULL}};
const struct pool_job pool_openmp_skynets[] = {{.name = NULL}};
const struct pool_job pool_openmp_flats[] = {{.name = NULL}};
const struct pool_job pool_openmp_matrices[] = {{.name = NULL}};
const struct pool_job pool_openmp_fors[] = {{.name = NULL}};
const struct pool_job pool_openmp_skewed[] = {{.name = NULL}};
const struct pool_job pool_openmp_smalls[] = {{.name = NULL}};
