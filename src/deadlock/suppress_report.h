/* SPDX-License-Identifier: MIT */
/*
 * deadlock/suppress_report.h - whether a text of suppressions (suppress.h) names
 * something of a report whose symbols are known.
 */
#ifndef WEFT_DEADLOCK_SUPPRESS_REPORT_H
#define WEFT_DEADLOCK_SUPPRESS_REPORT_H

#include "deadlock/report.h"

/* Read a file of suppressions from `fd` into `to`, which is all zeros and has
 * room for WEFT_SUPPRESS_MOST bytes and one. */
void weft_suppress_read_(int fd, char *to);

/* Whether one of the calls of a place is named. */
bool weft_suppress_names_place_(const char *text,
                                const struct weft_symbols *symbols,
                                const struct weft_dl_place *p);

/* Whether a place is, where one of the report's threads waits or has taken what
 * it holds. */
bool weft_suppress_names_(const char *text, const struct weft_dl_report *r);

#endif /* WEFT_DEADLOCK_SUPPRESS_REPORT_H */
