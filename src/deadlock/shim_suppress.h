/* SPDX-License-Identifier: MIT */
/*
 * deadlock/shim_suppress.h - reports of the preload that are not written
 * (suppress.h), and how many.
 */
#ifndef WEFT_DEADLOCK_SHIM_SUPPRESS_H
#define WEFT_DEADLOCK_SHIM_SUPPRESS_H

#include "deadlock/report.h"
#include "deadlock/shim.h"

/* Read the file, before the program runs. */
void weft_shim_read_suppressions_(void);

/* Whether a report whose names are known is not to be written; it is counted
 * then. */
bool weft_shim_suppresses_(const struct weft_dl_report *r);

/* The parts of that: whether a place is named; to count a report. */
bool weft_shim_is_unwanted_(const struct weft_symbols *symbols,
                            const struct weft_dl_place *p);
void weft_shim_count_suppressed_(void);

/* Write the last line, if any was; once. */
void weft_shim_say_suppressed_(void);

#endif /* WEFT_DEADLOCK_SHIM_SUPPRESS_H */
