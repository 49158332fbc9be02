/* SPDX-License-Identifier: MIT */
/*
 * row.c - sums, judges and shows what the stops showed.
 */
#include "stall/row.h"

unsigned
row_held(const struct row *row)
{
    return row->fates[ASLEEP] + row->fates[SPINNING] + row->fates[REFUSED];
}

void
row_add(struct row *sum, const struct row *row)
{
    sum->stops += row->stops;
    for (int f = 0; f < FATES; f++)
        sum->fates[f] += row->fates[f];
    if (row->longest_ns > sum->longest_ns)
        sum->longest_ns = row->longest_ns;
    places_merge(&sum->places, &row->places);
    if (row->wrong != NULL)
        sum->wrong = row->wrong;
}

void
row_show(struct table *t, const char *variant, const char *operation,
         const struct row *row)
{
    table_row(t);
    table_text(t, "%s", variant);
    table_text(t, "%s", operation);
    table_count(t, row->stops);
    table_count(t, (int64_t)row->places.count);
    table_count(t, row->fates[WENT_ON]);
    table_count(t, row_held(row));
    for (int f = WENT_ON + 1; f < FATES; f++)
        table_count(t, row->fates[f]);
    if (row->fates[WENT_ON] > 0)
        table_real(t, (double)row->longest_ns / 1e6, 2);
    else
        table_none(t);
}

/* All operations of a variant: is its promise kept? */
void
row_judge(struct table *t, const struct variant *v, const struct row *sum)
{
    const unsigned held = row_held(sum);

    if (sum->wrong != NULL)
        table_verdict(t, VERDICT_FAILED, "%s", sum->wrong);
    else if (sum->stops == 0)
        table_verdict(t, VERDICT_FAILED, "no stop was made: nothing is shown");
    else if (v->promise == GOES_ON && held > 0)
        table_verdict(t, VERDICT_FAILED, "a stopped thread stops others");
    else if (v->promise == MUST_BE_HELD && held == 0)
        table_verdict(t, VERDICT_FAILED,
                      "a lock held nobody up: the test sees nothing");
    else if (held == 0)
        table_verdict(t, VERDICT_OK, "a stopped thread stops nobody");
    else
        table_verdict(t, VERDICT_NOTE, "a stopped thread stops others%s",
                      v->promise == MUST_BE_HELD ? ", as a lock must" : "");
}

/* The places `first` to `last` of a list, which follow each other. */
static void
show_range(struct table *t, const char *variant, const struct place *first,
           const struct place *last)
{
    char text[PLACE_BYTES];
    int64_t fates[FATES] = {0};

    for (const struct place *p = first; p <= last; p++)
        for (int f = 0; f < FATES; f++)
            fates[f] += p->fates[f];
    table_row(t);
    table_text(t, "%s", variant);
    table_text(t, "%s", place_symbol(text, first->address));
    table_text(t, "%s", place_file(text, first->address));
    table_count(t, (int64_t)(last->address - first->address));
    table_count(t, last - first + 1);
    for (int f = 0; f < FATES; f++)
        table_count(t, fates[f]);
    table_text(t, "%s", first->state);
}

void
row_show_held(struct table *t, const char *variant, struct row *sum)
{
    struct places *all = &sum->places;

    places_sort(all);
    for (size_t i = 0; i < all->count; i++) {
        if (place_held(&all->list[i]) == 0)
            continue;
        size_t last = i;
        while (last + 1 < all->count && place_held(&all->list[last + 1]) != 0)
            last++;
        show_range(t, variant, &all->list[i], &all->list[last]);
        i = last;
    }
}

struct table *
row_table(struct report *r)
{
    struct table *t = report_table(r, "stops", "stops inside a call");

    table_column(t, "variant", NULL);
    table_column(t, "operation", NULL);
    table_column(t, "stops", NULL);
    table_column(t, "places", NULL);
    table_column(t, "went on", NULL);
    table_column(t, "held up", NULL);
    for (int f = WENT_ON + 1; f < FATES; f++)
        table_column(t, fate_names[f], NULL);
    table_column(t, "longest", "ms");
    return t;
}

struct table *
row_table_held(struct report *r)
{
    struct table *t = report_table(r, "held",
                                   "where a stop held others up: instructions "
                                   "(addr2line -fie FILE OFFSET)");

    table_column(t, "variant", NULL);
    table_column(t, "from", NULL);
    table_column(t, "file, offset", NULL);
    table_column(t, "span", "bytes");
    table_column(t, "places", NULL);
    for (int f = 0; f < FATES; f++)
        table_column(t, fate_names[f], NULL);
    table_column(t, "first in state", NULL);
    return t;
}
