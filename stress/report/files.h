/* SPDX-License-Identifier: MIT */
/*
 * files.h - the report as files that are there in full or not at all.
 */
#ifndef STRESS_REPORT_FILES_H
#define STRESS_REPORT_FILES_H

#include <stdbool.h>

#include "report/report.h"

/* Whether this build can write JSON. */
bool files_have_json(void);

/*
 * Make sure before a long run that a file can be written at `path`.
 *
 *   returns    whether it can; if not, a line has said why
 */
bool files_check(const char *path);

/* Write the report to `path`; false, after a line, if it cannot be: then what
 * was there before is still there. */
bool files_write_json(const struct report *r, const char *path);
bool files_write_csv(const struct report *r, const char *path);

#endif /* STRESS_REPORT_FILES_H */
