/* SPDX-License-Identifier: MIT */
#include "testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/data.h"
#include "report/files.h"

#ifdef HAVE_JANSSON
#include <jansson.h>
#endif

#define ODD "a,\"b\"\nc"

static char *screen_text;
static size_t screen_size;
static FILE *screen;
static struct report *r;

/* A report with all kinds of cells, of verdicts, and of odd text. */
static void
set_up(void)
{
    screen = open_memstream(&screen_text, &screen_size);
    r = report_create(screen);
    report_meta(r, "seed", "0x%x", 0x5eed);
    report_meta(r, "odd", ODD);
    report_scenario(r, "one");
    report_say(r, "%s", "a line");
    struct table *t = report_table(r, "kinds", "All kinds");
    table_column(t, "name", NULL);
    table_column(t, "items", NULL);
    table_column(t, "rate", "M/s");
    table_row(t);
    table_text(t, "%s", "\xc3\xa4 " ODD);
    table_count(t, -1234567);
    table_real(t, 2.71828, 2);
    table_verdict(t, VERDICT_OK, NULL);
    table_row(t);
    table_text(t, "plain");
    table_none(t);
    table_real(t, NAN, 2);
    table_verdict(t, VERDICT_NOTE, "so %s", "so");
    table_end(t);
}

static void
tear_down(void)
{
    report_destroy(r);
    fclose(screen);
    free(screen_text);
}

START_TEST(test_numbers_stand_to_the_right_and_words_to_the_left)
{
    static const char *const want[] = {
        "All kinds\n", "\n  plain",
        /* the odd name has a line feed, which nobody puts into a table */
        "c  -1 234 567        2.72  ok\n",
        "  name            items  rate [M/s]\n",
        "  plain               -           -  so so\n"};

    set_up();
    fflush(screen);
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
        ck_assert_msg(strstr(screen_text, want[i]) != NULL, "no '%s' in:\n%s",
                      want[i], screen_text);
    tear_down();
}
END_TEST

START_TEST(test_csv_quotes_what_has_commas_quotes_or_lines)
{
    static const char want[] =
        "table,key,value\r\n"
        "run,seed,0x5eed\r\n"
        "run,odd,\"a,\"\"b\"\"\nc\"\r\n"
        "\r\n"
        "table,scenario,name,items,rate [M/s],verdict,note\r\n"
        "kinds,one,\"\xc3\xa4 a,\"\"b\"\"\nc\",-1234567,2.72,ok,\r\n"
        "kinds,one,plain,,,note,so so\r\n";
    char *text = NULL;
    size_t size;

    set_up();
    FILE *f = open_memstream(&text, &size);
    ck_assert(report_write_csv(r, f));
    fclose(f);
    ck_assert_str_eq(text, want);
    free(text);
    tear_down();
}
END_TEST

#ifdef HAVE_JANSSON
static const char *
text_at(json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

START_TEST(test_json_is_read_back_as_what_was_found)
{
    char *text = NULL;
    size_t size;
    json_error_t error;

    set_up();
    report_say(r, "not UTF-8: \xff");
    FILE *f = open_memstream(&text, &size);
    ck_assert(report_write_json(r, f));
    fclose(f);
    json_t *all = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(all != NULL, "%s in:\n%s", error.text, text);
    ck_assert_str_eq(text_at(all, "program"), "weft-stress");
    json_t *run = json_object_get(all, "run");
    ck_assert_str_eq(text_at(run, "seed"), "0x5eed");
    ck_assert_str_eq(text_at(run, "odd"), ODD);
    json_t *lines = json_object_get(all, "text");
    ck_assert_str_eq(json_string_value(json_array_get(lines, 0)), "a line");
    ck_assert_str_eq(json_string_value(json_array_get(lines, 1)),
                     "not UTF-8: ?");
    json_t *t = json_array_get(json_object_get(all, "tables"), 0);
    ck_assert_str_eq(text_at(t, "name"), "kinds");
    ck_assert_str_eq(text_at(t, "scenario"), "one");
    json_t *column = json_array_get(json_object_get(t, "columns"), 2);
    ck_assert_str_eq(text_at(column, "unit"), "M/s");
    json_t *row = json_array_get(json_object_get(t, "rows"), 0);
    ck_assert_str_eq(text_at(row, "verdict"), "ok");
    json_t *cells = json_object_get(row, "cells");
    ck_assert_str_eq(text_at(cells, "name"), "\xc3\xa4 " ODD);
    ck_assert_int_eq(json_integer_value(json_object_get(cells, "items")),
                     -1234567);
    ck_assert_double_eq(json_real_value(json_object_get(cells, "rate")),
                        2.71828);
    row = json_array_get(json_object_get(t, "rows"), 1);
    ck_assert_str_eq(text_at(row, "note"), "so so");
    cells = json_object_get(row, "cells");
    ck_assert(json_is_null(json_object_get(cells, "items")));
    ck_assert(json_is_null(json_object_get(cells, "rate")));
    json_decref(all);
    free(text);
    tear_down();
}
END_TEST
#else
START_TEST(test_json_is_read_back_as_what_was_found)
{
    ck_assert(!files_have_json());
}
END_TEST
#endif

START_TEST(test_failed_row_makes_the_outcome)
{
    set_up();
    ck_assert_int_eq(report_outcome(r), OUTCOME_OK);
    struct table *t = report_table(r, "more", NULL);
    table_column(t, "name", NULL);
    table_row(t);
    table_text(t, "this one");
    table_verdict(t, VERDICT_FAILED, "it is wrong");
    table_end(t);
    ck_assert_int_eq(report_outcome(r), OUTCOME_FAILED);
    ck_assert(!report_is_abandoned(r));
    fflush(screen);
    ck_assert_ptr_nonnull(
        strstr(screen_text, "  this one  FAILED: it is wrong\n"));
    tear_down();
}
END_TEST

START_TEST(test_abandoned_report_has_failed)
{
    set_up();
    ck_assert_int_eq(report_abandon(r, "no %s", "room"), OUTCOME_FAILED);
    ck_assert_int_eq(report_outcome(r), OUTCOME_FAILED);
    ck_assert(report_is_abandoned(r));
    tear_down();
}
END_TEST

START_TEST(test_counts_are_written_in_groups_of_three)
{
    static const struct {
        int64_t count;
        const char *text;
    } table[] = {{0, "0"},
                 {999, "999"},
                 {1000, "1 000"},
                 {-999, "-999"},
                 {-1000, "-1 000"},
                 {412345, "412 345"},
                 {INT64_MAX, "9 223 372 036 854 775 807"},
                 {INT64_MIN, "-9 223 372 036 854 775 808"}};
    char text[REPORT_COUNT_BYTES];

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        ck_assert_str_eq(report_count(text, table[i].count), table[i].text);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_numbers_stand_to_the_right_and_words_to_the_left, 1},
        {&test_csv_quotes_what_has_commas_quotes_or_lines, 1},
        {&test_json_is_read_back_as_what_was_found, 1},
        {&test_failed_row_makes_the_outcome, 1},
        {&test_abandoned_report_has_failed, 1},
        {&test_counts_are_written_in_groups_of_three, 1},
    };

    return run_tests("stress report", tests, sizeof(tests) / sizeof(tests[0]),
                     10);
}
