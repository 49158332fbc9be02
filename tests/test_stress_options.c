/* SPDX-License-Identifier: MIT */
#include "testing.h"

#include <stdlib.h>
#include <string.h>

#include "options.h"

static const struct extra variant = {.name = "variant",
                                     .argument = "LIST",
                                     .help = "which",
                                     .words = "broken,mutex"};
static const struct extra mix = {.name = "mix",
                                 .argument = "PxC,...",
                                 .help = "how many of each",
                                 .valid = options_are_mixes};
static const struct extra deep = {.name = "deep", .help = "all of it"};
static const struct extra *const extras[] = {&variant, &mix, &deep};

/* Parse words with blanks between them; the result of options_parse. */
static int
parse(struct options *o, const char *line)
{
    static char text[256];
    static char *argv[16];
    int argc = 0;

    snprintf(text, sizeof(text), "race %s", line);
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    return options_parse(o, argc, argv, "race", extras, 3);
}

START_TEST(test_duration_has_units)
{
    static const struct {
        const char *text;
        double seconds;
    } table[] = {{"2", 2},       {"0.5", 0.5},   {"1.5s", 1.5},
                 {"200ms", 0.2}, {"50us", 5e-5}, {"3m", 180},
                 {"1h", 3600},   {".25", 0.25},  {"2.", 2}};
    char line[64];
    struct options o;

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        snprintf(line, sizeof(line), "--duration %s", table[i].text);
        ck_assert_int_ge(parse(&o, line), 0);
        ck_assert_double_eq_tol(o.duration_s, table[i].seconds, 1e-12);
    }
}
END_TEST

START_TEST(test_what_is_not_said_is_zero)
{
    struct options o;

    ck_assert_int_eq(parse(&o, ""), 1);
    ck_assert_double_eq(o.duration_s, 0);
    ck_assert_uint_eq(o.thread_counts, 0);
    ck_assert_uint_eq(o.rounds, 0);
    ck_assert_uint_eq(o.extra_count, 0);
    ck_assert(!o.pin && !o.help);
    ck_assert_ptr_null(o.json);
    ck_assert_ptr_null(o.csv);
}
END_TEST

START_TEST(test_two_runs_have_different_seeds)
{
    struct options a;
    struct options b;

    parse(&a, "");
    parse(&b, "");
    ck_assert_uint_ne(a.seed, b.seed);
}
END_TEST

START_TEST(test_seed_is_decimal_or_hexadecimal)
{
    struct options o;

    parse(&o, "--seed 18446744073709551615");
    ck_assert_uint_eq(o.seed, UINT64_MAX);
    parse(&o, "--seed 0x5eed");
    ck_assert_uint_eq(o.seed, 0x5eed);
    parse(&o, "--seed 010");
    ck_assert_uint_eq(o.seed, 10);
}
END_TEST

START_TEST(test_list_of_threads_is_read)
{
    struct options o;

    ck_assert_int_ge(parse(&o, "--threads 1,2,1000000"), 0);
    ck_assert_uint_eq(o.thread_counts, 3);
    ck_assert_uint_eq(o.threads[0], 1);
    ck_assert_uint_eq(o.threads[1], 2);
    ck_assert_uint_eq(o.threads[2], 1000000);
}
END_TEST

START_TEST(test_list_too_long_is_refused)
{
    char text[4 * OPTIONS_THREADS_MAX];
    unsigned out[OPTIONS_THREADS_MAX];

    for (size_t i = 0; i < OPTIONS_THREADS_MAX; i++)
        memcpy(&text[2 * i], "7,", 2);
    text[2 * OPTIONS_THREADS_MAX - 1] = '\0';
    ck_assert_uint_eq(options_counts(text, 9, out, OPTIONS_THREADS_MAX),
                      OPTIONS_THREADS_MAX);
    strcat(text, ",7");
    ck_assert_uint_eq(options_counts(text, 9, out, OPTIONS_THREADS_MAX), 0);
}
END_TEST

START_TEST(test_mixes_are_read)
{
    struct mix out[4];

    ck_assert_uint_eq(options_mixes("1x2,30x4", out, 4), 2);
    ck_assert_uint_eq(out[0].producers, 1);
    ck_assert_uint_eq(out[0].consumers, 2);
    ck_assert_uint_eq(out[1].producers, 30);
    ck_assert_uint_eq(out[1].consumers, 4);
}
END_TEST

START_TEST(test_wrong_mix_is_refused)
{
    static const char *const wrong[] = {"",      "1",   "x",    "1x",
                                        "x1",    "0x1", "1x0",  "1x1,",
                                        "1x1x1", "1,1", "1x1 ", "1x1,,1x1"};
    struct mix out[4];

    ck_assert_uint_eq(options_mixes(wrong[_i], out, 4), 0);
}
END_TEST

START_TEST(test_options_of_its_own_are_found_by_name)
{
    struct options o;

    ck_assert_int_ge(parse(&o, "--deep --mix 1x1 --variant mutex"), 0);
    ck_assert_str_eq(options_extra(&o, "mix"), "1x1");
    ck_assert_str_eq(options_extra(&o, "deep"), "");
    ck_assert_ptr_null(options_extra(&o, "shallow"));
    ck_assert(options_include(&o, "variant", "mutex"));
    ck_assert(!options_include(&o, "variant", "broken"));
    ck_assert(!options_include(&o, "variant", "mut"));
}
END_TEST

START_TEST(test_all_words_are_included_if_none_is_given)
{
    struct options o;

    parse(&o, "");
    ck_assert(options_include(&o, "variant", "mutex"));
}
END_TEST

START_TEST(test_the_last_of_two_counts)
{
    struct options o;

    ck_assert_int_ge(parse(&o, "--variant mutex --variant broken"), 0);
    ck_assert_str_eq(options_extra(&o, "variant"), "broken");
    ck_assert_uint_eq(o.extra_count, 1);
}
END_TEST

START_TEST(test_what_is_written_is_read_as_the_same)
{
    struct options o;
    struct options again;
    char *text = NULL;
    size_t size;

    parse(&o, "--duration 1.25 --threads 1,8 --rounds 3 --pin --seed 0xabc "
              "--variant mutex --deep");
    FILE *f = open_memstream(&text, &size);
    options_write(f, &o);
    fclose(f);
    ck_assert_int_ge(parse(&again, text), 0);
    ck_assert_double_eq(again.duration_s, 1.25);
    ck_assert_uint_eq(again.thread_counts, 2);
    ck_assert_uint_eq(again.threads[1], 8);
    ck_assert_uint_eq(again.rounds, 3);
    ck_assert_uint_eq(again.seed, 0xabc);
    ck_assert(again.pin);
    ck_assert_str_eq(options_extra(&again, "variant"), "mutex");
    ck_assert_ptr_nonnull(options_extra(&again, "deep"));
    free(text);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_duration_has_units, 1},
        {&test_what_is_not_said_is_zero, 1},
        {&test_two_runs_have_different_seeds, 1},
        {&test_seed_is_decimal_or_hexadecimal, 1},
        {&test_list_of_threads_is_read, 1},
        {&test_list_too_long_is_refused, 1},
        {&test_mixes_are_read, 1},
        {&test_wrong_mix_is_refused, 12},
        {&test_options_of_its_own_are_found_by_name, 1},
        {&test_all_words_are_included_if_none_is_given, 1},
        {&test_the_last_of_two_counts, 1},
        {&test_what_is_written_is_read_as_the_same, 1},
    };

    return run_tests("stress options", tests, sizeof(tests) / sizeof(tests[0]),
                     10);
}
