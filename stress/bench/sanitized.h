/* SPDX-License-Identifier: MIT */
/*
 * sanitized.h - whether ThreadSanitizer watches.  It cannot see the atomics of
 * Concurrency Kit and liburcu, which are inline assembly, and would call every
 * item they carry a race: its builds leave those rivals out.
 */
#ifndef STRESS_BENCH_SANITIZED_H
#define STRESS_BENCH_SANITIZED_H

#ifdef __SANITIZE_THREAD__
#define SANITIZED_THREADS 1
#elif defined(__has_feature)
#define SANITIZED_THREADS __has_feature(thread_sanitizer)
#else
#define SANITIZED_THREADS 0
#endif

#endif /* STRESS_BENCH_SANITIZED_H */
