/* SPDX-License-Identifier: MIT */
/*
 * text.h - titles.
 */
#ifndef STRESS_BENCH_TEXT_H
#define STRESS_BENCH_TEXT_H

/* What printf would write; the caller frees it. */
char *bench_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* STRESS_BENCH_TEXT_H */
