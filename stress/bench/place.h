/* SPDX-License-Identifier: MIT */
/*
 * place.h - where a measured thread begins.
 */
#ifndef STRESS_BENCH_PLACE_H
#define STRESS_BENCH_PLACE_H

/*
 * Move the calling thread to the `index`-th CPU this process may use, counted
 * round and round, and let it run free from there.  Left alone, two threads
 * that wake together may share a CPU for longer than a row is measured.
 */
void bench_place(unsigned index);

/* Let the calling thread run on that CPU alone from now on. */
void bench_pin(unsigned index);

#endif /* STRESS_BENCH_PLACE_H */
