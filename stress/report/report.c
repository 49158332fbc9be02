/* SPDX-License-Identifier: MIT */
/*
 * report.c - collects what a run found.
 *
 * A report only grows.  Text and facts are shown when they come, a table when
 * it is complete, and all of it stays for the files.
 */
#include "report/report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "progress.h"
#include "report/data.h"

struct report *
report_create(FILE *screen)
{
    struct report *r = must_have(1, sizeof(*r));

    r->screen = screen;
    r->bold = isatty(fileno(screen)) != 0 && getenv("NO_COLOR") == NULL;
    return r;
}

static void
destroy_table(struct table *t)
{
    for (size_t i = 0; i < t->row_count; i++) {
        for (size_t k = 0; k < t->column_count; k++)
            free(t->rows[i].cells[k].text);
        free(t->rows[i].cells);
        free(t->rows[i].note);
    }
    for (size_t k = 0; k < t->column_count; k++) {
        free(t->columns[k].name);
        free(t->columns[k].unit);
    }
    free(t->rows);
    free(t->columns);
    free(t->scenario);
    free(t->name);
    free(t->title);
    free(t);
}

void
report_destroy(struct report *r)
{
    for (size_t i = 0; i < r->table_count; i++)
        destroy_table(r->tables[i]);
    for (size_t i = 0; i < r->meta_count; i++) {
        free(r->metas[i].key);
        free(r->metas[i].value);
    }
    for (size_t i = 0; i < r->line_count; i++)
        free(r->lines[i]);
    free(r->tables);
    free(r->metas);
    free(r->lines);
    free(r->scenario);
    free(r);
}

void
report_scenario(struct report *r, const char *name)
{
    free(r->scenario);
    r->scenario = must_copy(name);
}

void
report_meta(struct report *r, const char *key, const char *format, ...)
{
    va_list arguments;

    r->metas = must_grow(r->metas, r->meta_count, sizeof(r->metas[0]));
    struct meta *m = &r->metas[r->meta_count++];
    m->key = must_copy(key);
    va_start(arguments, format);
    m->value = must_print(format, arguments);
    va_end(arguments);
    fprintf(r->screen, "%-10s %s\n", m->key, m->value);
    fflush(r->screen);
}

/* Keep a line for the files and return it. */
static const char *
keep(struct report *r, const char *format, va_list arguments)
{
    r->lines = must_grow(r->lines, r->line_count, sizeof(r->lines[0]));
    char *line = must_print(format, arguments);
    r->lines[r->line_count++] = line;
    return line;
}

void
report_say(struct report *r, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fprintf(r->screen, "%s\n", keep(r, format, arguments));
    va_end(arguments);
    fflush(r->screen);
}

void
report_heading(struct report *r, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fprintf(r->screen, "\n%s%s%s\n", r->bold ? "\033[1m" : "",
            keep(r, format, arguments), r->bold ? "\033[0m" : "");
    va_end(arguments);
    fflush(r->screen);
}

enum outcome
report_abandon(struct report *r, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *line = must_print(format, arguments);
    va_end(arguments);
    fflush(r->screen);
    complain("%s", line);
    free(line);
    r->abandoned = true;
    return OUTCOME_FAILED;
}

bool
report_is_abandoned(const struct report *r)
{
    return r->abandoned;
}

enum outcome
report_outcome(const struct report *r)
{
    return r->abandoned || r->failed ? OUTCOME_FAILED : OUTCOME_OK;
}

struct table *
report_table(struct report *r, const char *name, const char *title)
{
    struct table *t = must_have(1, sizeof(*t));

    t->report = r;
    t->scenario = r->scenario != NULL ? must_copy(r->scenario) : NULL;
    t->name = must_copy(name);
    t->title = title != NULL ? must_copy(title) : NULL;
    r->tables = must_grow(r->tables, r->table_count, sizeof(struct table *));
    r->tables[r->table_count++] = t;
    return t;
}

void
table_column(struct table *t, const char *name, const char *unit)
{
    t->columns = must_grow(t->columns, t->column_count, sizeof(struct column));
    struct column *c = &t->columns[t->column_count++];
    c->name = must_copy(name);
    c->unit = unit != NULL ? must_copy(unit) : NULL;
}

void
table_row(struct table *t)
{
    t->rows = must_grow(t->rows, t->row_count, sizeof(struct row));
    t->rows[t->row_count++] =
        (struct row){.cells = must_have(t->column_count, sizeof(struct cell))};
}

/* The next cell of the last row; one too many is a mistake in the scenario. */
static struct cell *
next_cell(struct table *t)
{
    struct row *row = t->row_count > 0 ? &t->rows[t->row_count - 1] : NULL;

    if (row == NULL || row->filled == t->column_count) {
        complain("table %s: a cell without a column", t->name);
        abort();
    }
    return &row->cells[row->filled++];
}

void
table_text(struct table *t, const char *format, ...)
{
    struct cell *c = next_cell(t);
    va_list arguments;

    c->kind = CELL_TEXT;
    va_start(arguments, format);
    c->text = must_print(format, arguments);
    va_end(arguments);
}

void
table_count(struct table *t, int64_t count)
{
    struct cell *c = next_cell(t);

    c->kind = CELL_COUNT;
    c->count = count;
}

void
table_real(struct table *t, double value, int digits)
{
    struct cell *c = next_cell(t);

    c->kind = CELL_REAL;
    c->real = value;
    c->digits = digits;
}

void
table_none(struct table *t)
{
    next_cell(t)->kind = CELL_NONE;
}

void
table_verdict(struct table *t, enum verdict v, const char *format, ...)
{
    va_list arguments;

    if (t->row_count == 0)
        return;
    struct row *row = &t->rows[t->row_count - 1];
    row->verdict = v;
    if (v == VERDICT_FAILED)
        t->report->failed = true;
    free(row->note);
    row->note = NULL;
    if (format == NULL)
        return;
    va_start(arguments, format);
    row->note = must_print(format, arguments);
    va_end(arguments);
}

void
table_end(struct table *t)
{
    table_print(t, t->report->screen);
    fflush(t->report->screen);
}

const char *
verdict_name(enum verdict v)
{
    switch (v) {
    case VERDICT_NONE:
        return "";
    case VERDICT_OK:
        return "ok";
    case VERDICT_FAILED:
        return "FAILED";
    case VERDICT_NOTE:
        return "note";
    }
    return "";
}

char *
report_count(char text[REPORT_COUNT_BYTES], int64_t count)
{
    char digits[REPORT_COUNT_BYTES];
    char *to = text;
    const int length =
        snprintf(digits, sizeof(digits), "%lld", (long long)count);

    for (int i = 0; i < length; i++) {
        const int left = length - i;
        if (i > 0 && left % 3 == 0 && digits[i - 1] != '-')
            *to++ = ' ';
        *to++ = digits[i];
    }
    *to = '\0';
    return text;
}
