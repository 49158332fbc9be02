/* SPDX-License-Identifier: MIT */
/*
 * json_none.c - in a build without jansson: the command line refuses --json.
 */
#include "report/data.h"
#include "report/files.h"

bool
files_have_json(void)
{
    return false;
}

bool
report_write_json(const struct report *r, FILE *f)
{
    (void)r;
    (void)f;
    return false;
}
