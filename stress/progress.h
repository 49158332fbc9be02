/* SPDX-License-Identifier: MIT */
/*
 * progress.h - what the harness tells the user meanwhile, on stderr, and what
 * the user tells it: to stop.
 */
#ifndef STRESS_PROGRESS_H
#define STRESS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* CLOCK_MONOTONIC [ns]. */
int64_t clock_ns(void);

/* One line on stderr that begins with the program's name. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Something begins that may last; `seconds` is how long, or 0 if nobody knows.
 * Once it has lasted a second and stderr is a terminal, each step shows a line;
 * the end takes it away.
 */
void progress_begin(const char *what, double seconds);
void progress_step(void);
void progress_end(void);

/* From now on SIGINT and SIGTERM ask the run to stop; a second one kills. */
void interrupt_listen(void);
bool interrupt_came(void);

#endif /* STRESS_PROGRESS_H */
