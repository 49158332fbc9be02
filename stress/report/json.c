/* SPDX-License-Identifier: MIT */
/*
 * json.c - a report as one JSON object, through jansson.
 *
 *     { "program": "weft-stress", "version": "0.1.0",
 *       "run": { "seed": "0x5eed", ... },
 *       "text": [ "..." ],
 *       "tables": [ { "name": "lost", "scenario": "lost-update", "title": null,
 *                     "columns": [ { "name": "lost", "unit": "updates" } ],
 *                     "rows": [ { "cells": { "lost": 12 },
 *                                 "verdict": "ok", "note": null } ] } ] }
 *
 * Text that is not UTF-8, as a file name may be, has its odd bytes replaced.
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <weft/version.h>

#include "memory.h"
#include "report/data.h"
#include "report/files.h"

bool
files_have_json(void)
{
    return true;
}

static json_t *
text_of(const char *text)
{
    if (text == NULL)
        return json_null();
    json_t *s = json_string(text);
    if (s != NULL)
        return s;
    char *plain = must_copy(text);
    for (char *p = plain; *p != '\0'; p++)
        if (((unsigned char)*p & 0x80) != 0)
            *p = '?';
    s = json_string(plain);
    free(plain);
    return s;
}

static json_t *
cell_of(const struct cell *c)
{
    switch (c->kind) {
    case CELL_NONE:
        return json_null();
    case CELL_TEXT:
        return text_of(c->text);
    case CELL_COUNT:
        return json_integer(c->count);
    case CELL_REAL:
        return isfinite(c->real) ? json_real(c->real) : json_null();
    }
    return json_null();
}

/* The adders below take what may be NULL and then fail themselves. */
static bool
add_row(json_t *rows, const struct table *t, const struct row *row)
{
    json_t *cells = json_object();
    bool done = true;

    for (size_t k = 0; k < t->column_count; k++)
        done &= json_object_set_new(cells, t->columns[k].name,
                                    cell_of(&row->cells[k])) == 0;
    const char *verdict =
        row->verdict == VERDICT_NONE ? NULL : verdict_name(row->verdict);
    return json_array_append_new(rows,
                                 json_pack("{s:o, s:o, s:o}", "cells", cells,
                                           "verdict", text_of(verdict), "note",
                                           text_of(row->note))) == 0 &&
           done;
}

static bool
add_table(json_t *tables, const struct table *t)
{
    json_t *columns = json_array();
    json_t *rows = json_array();
    bool done = true;

    for (size_t k = 0; k < t->column_count; k++)
        done &= json_array_append_new(
                    columns,
                    json_pack("{s:o, s:o}", "name", text_of(t->columns[k].name),
                              "unit", text_of(t->columns[k].unit))) == 0;
    for (size_t i = 0; i < t->row_count; i++)
        done &= add_row(rows, t, &t->rows[i]);
    return json_array_append_new(tables,
                                 json_pack("{s:o, s:o, s:o, s:o, s:o}", "name",
                                           text_of(t->name), "scenario",
                                           text_of(t->scenario), "title",
                                           text_of(t->title), "columns",
                                           columns, "rows", rows)) == 0 &&
           done;
}

bool
report_write_json(const struct report *r, FILE *f)
{
    json_t *run = json_object();
    json_t *text = json_array();
    json_t *tables = json_array();
    bool done = true;

    for (size_t i = 0; i < r->meta_count; i++)
        done &= json_object_set_new(run, r->metas[i].key,
                                    text_of(r->metas[i].value)) == 0;
    for (size_t i = 0; i < r->line_count; i++)
        done &= json_array_append_new(text, text_of(r->lines[i])) == 0;
    for (size_t i = 0; i < r->table_count; i++)
        done &= add_table(tables, r->tables[i]);
    json_t *all = json_pack("{s:s, s:s, s:o, s:o, s:o}", "program",
                            "weft-stress", "version", weft_version(), "run",
                            run, "text", text, "tables", tables);
    done = done && all != NULL && json_dumpf(all, f, JSON_INDENT(2)) == 0 &&
           fputc('\n', f) != EOF;
    json_decref(all);
    return done;
}
