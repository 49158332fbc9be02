/* SPDX-License-Identifier: MIT */
/*
 * csv.c - a report as comma-separated values, RFC 4180.
 *
 * Tables differ in their columns, so each is a block with a head of its own,
 * blocks are parted by an empty line, and the first column says which table
 * the row is of.  The first block has the facts about the run.
 */
#include <math.h>
#include <string.h>

#include "report/data.h"

static void
put(FILE *f, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, f);
        return;
    }
    fputc('"', f);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', f);
        fputc(*text, f);
    }
    fputc('"', f);
}

static void
put_next(FILE *f, const char *text)
{
    fputc(',', f);
    put(f, text != NULL ? text : "");
}

static void
put_cell(FILE *f, const struct cell *c)
{
    switch (c->kind) {
    case CELL_NONE:
        fputc(',', f);
        return;
    case CELL_TEXT:
        put_next(f, c->text);
        return;
    case CELL_COUNT:
        fprintf(f, ",%lld", (long long)c->count);
        return;
    case CELL_REAL:
        fputc(',', f);
        if (isfinite(c->real))
            fprintf(f, "%.*f", c->digits, c->real);
        return;
    }
}

static void
put_table(FILE *f, const struct table *t)
{
    fputs("\r\ntable,scenario", f);
    for (size_t k = 0; k < t->column_count; k++) {
        const struct column *c = &t->columns[k];
        char head[256];
        snprintf(head, sizeof(head), "%s%s%s%s", c->name,
                 c->unit != NULL ? " [" : "", c->unit != NULL ? c->unit : "",
                 c->unit != NULL ? "]" : "");
        put_next(f, head);
    }
    fputs(",verdict,note\r\n", f);
    for (size_t i = 0; i < t->row_count; i++) {
        const struct row *row = &t->rows[i];
        put(f, t->name);
        put_next(f, t->scenario);
        for (size_t k = 0; k < t->column_count; k++)
            put_cell(f, &row->cells[k]);
        put_next(f, verdict_name(row->verdict));
        put_next(f, row->note);
        fputs("\r\n", f);
    }
}

bool
report_write_csv(const struct report *r, FILE *f)
{
    fputs("table,key,value\r\n", f);
    for (size_t i = 0; i < r->meta_count; i++) {
        fputs("run", f);
        put_next(f, r->metas[i].key);
        put_next(f, r->metas[i].value);
        fputs("\r\n", f);
    }
    for (size_t i = 0; i < r->table_count; i++)
        put_table(f, r->tables[i]);
    return ferror(f) == 0;
}
