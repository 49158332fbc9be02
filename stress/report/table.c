/* SPDX-License-Identifier: MIT */
/*
 * table.c - a table for people: numbers to the right, words to the left, and
 * each column as wide as its widest cell.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "report/data.h"

#define INDENT "  "

/* Characters on the screen, of text in UTF-8. */
static size_t
width_of(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

/* The text of a cell; `room` is for a number. */
static const char *
cell_text(const struct cell *c, char room[REPORT_COUNT_BYTES])
{
    switch (c->kind) {
    case CELL_NONE:
        return "-";
    case CELL_TEXT:
        return c->text;
    case CELL_COUNT:
        return report_count(room, c->count);
    case CELL_REAL:
        if (!isfinite(c->real))
            return "-";
        snprintf(room, REPORT_COUNT_BYTES, "%.*f", c->digits, c->real);
        return room;
    }
    return "";
}

/* A column is one of words if its first cell that has anything is. */
static bool
is_words(const struct table *t, size_t column)
{
    for (size_t i = 0; i < t->row_count; i++)
        if (t->rows[i].cells[column].kind != CELL_NONE)
            return t->rows[i].cells[column].kind == CELL_TEXT;
    return false;
}

/* Write a cell; the blanks to its right are owed until more follows, so that no
 * line ends with blanks. */
static void
put(FILE *f, size_t *owed, const char *text, size_t width, bool left)
{
    const size_t blanks = width - width_of(text);
    const size_t before = *owed + (left ? 0 : blanks);

    fprintf(f, INDENT "%*s%s", (int)before, "", text);
    *owed = left ? blanks : 0;
}

static void
print_row(const struct table *t, const struct row *row, const size_t *widths,
          FILE *f)
{
    char room[REPORT_COUNT_BYTES];
    size_t owed = 0;

    for (size_t k = 0; k < t->column_count; k++)
        put(f, &owed, cell_text(&row->cells[k], room), widths[k],
            is_words(t, k));
    if (row->verdict == VERDICT_OK || row->verdict == VERDICT_FAILED)
        fprintf(f, INDENT "%*s%s%s%s", (int)owed, "",
                verdict_name(row->verdict), row->note != NULL ? ": " : "",
                row->note != NULL ? row->note : "");
    else if (row->note != NULL)
        fprintf(f, INDENT "%*s%s", (int)owed, "", row->note);
    fputc('\n', f);
}

void
table_print(const struct table *t, FILE *f)
{
    size_t *widths = must_have(t->column_count, sizeof(*widths));
    char **heads = must_have(t->column_count, sizeof(*heads));
    char room[REPORT_COUNT_BYTES];
    size_t owed = 0;

    for (size_t k = 0; k < t->column_count; k++) {
        const struct column *c = &t->columns[k];
        heads[k] = must_have(1, strlen(c->name) + 4 +
                                    (c->unit != NULL ? strlen(c->unit) : 0));
        stpcpy(heads[k], c->name);
        if (c->unit != NULL)
            sprintf(heads[k] + strlen(c->name), " [%s]", c->unit);
        widths[k] = width_of(heads[k]);
        for (size_t i = 0; i < t->row_count; i++) {
            const size_t w = width_of(cell_text(&t->rows[i].cells[k], room));
            widths[k] = w > widths[k] ? w : widths[k];
        }
    }

    if (t->title != NULL)
        fprintf(f, "%s\n", t->title);
    for (size_t k = 0; k < t->column_count; k++)
        put(f, &owed, heads[k], widths[k], is_words(t, k));
    fputc('\n', f);
    for (size_t i = 0; i < t->row_count; i++)
        print_row(t, &t->rows[i], widths, f);

    for (size_t k = 0; k < t->column_count; k++)
        free(heads[k]);
    free(heads);
    free(widths);
}
