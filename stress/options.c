/* SPDX-License-Identifier: MIT */
/*
 * options.c - reads the command line, and says in one line what is wrong with
 * it.
 *
 * getopt_long does the reading, silenced; each complaint names what is known,
 * so that nobody has to ask for help after a slip.
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "progress.h"
#include "report/files.h"

#define THREADS_LIMIT 1000000u
#define ROUNDS_LIMIT  1000000u
#define SECONDS_LIMIT 1e7 /* 115 days */
#define WORD_BYTES    64

enum common {
    DURATION,
    THREADS,
    ROUNDS,
    SEED,
    PIN,
    JSON,
    CSV,
    HELP,
    COMMON_COUNT
};

static const struct {
    const char *name;
    const char *argument; /* NULL: none */
    const char *help;
    const char *wants; /* what a good value is */
} common[COMMON_COUNT] = {
    [DURATION] = {"duration", "TIME", "how long to run: 2, 0.5, 200ms, 1m",
                  "a time above 0, as 2, 0.5, 200ms or 1m"},
    [THREADS] = {"threads", "LIST",
                 "how many threads, one run for each: 1,2,4,8",
                 "whole numbers from 1 to 1000000, as 1,2,4,8"},
    [ROUNDS] = {"rounds", "N", "how often each measurement is repeated",
                "a whole number from 1 to 1000000"},
    [SEED] = {"seed", "N", "the seed of all random numbers: 7, 0x5eed",
              "a whole number of at most 64 bits, as 7 or 0x5eed"},
    [PIN] = {"pin", NULL, "keep each thread on one CPU", NULL},
    [JSON] = {"json", "FILE", "also write what was found as JSON",
              "a file name"},
    [CSV] = {"csv", "FILE", "also write the tables as CSV", "a file name"},
    [HELP] = {"help", NULL, "show this", NULL},
};

static bool
read_seconds(const char *text, double *seconds)
{
    static const struct {
        const char *suffix;
        double scale;
    } units[] = {{"", 1},      {"s", 1},  {"ms", 1e-3},
                 {"us", 1e-6}, {"m", 60}, {"h", 3600}};
    char *end;

    if (strspn(text, "0123456789.") == 0)
        return false;
    const double value = strtod(text, &end);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(end, units[i].suffix) != 0)
            continue;
        *seconds = value * units[i].scale;
        return isfinite(value) && *seconds >= 1e-9 && *seconds <= SECONDS_LIMIT;
    }
    return false;
}

static bool
read_seed(const char *text, uint64_t *seed)
{
    const bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    char *end;

    if (strchr("0123456789", text[0]) == NULL || text[0] == '\0')
        return false;
    errno = 0;
    *seed = strtoull(text, &end, hex ? 16 : 10);
    return errno == 0 && *end == '\0' && (!hex || text[2] != '\0');
}

/* A whole number from 1 to `limit` that ends at one of `ends`; 0 if not. */
static unsigned
read_count(const char **text, const char *ends, unsigned limit)
{
    const size_t digits = strspn(*text, "0123456789");

    if (digits == 0 || digits > 10 || strchr(ends, (*text)[digits]) == NULL)
        return 0;
    const unsigned long long value = strtoull(*text, NULL, 10);
    *text += digits;
    return value <= limit ? (unsigned)value : 0;
}

size_t
options_counts(const char *text, unsigned limit, unsigned *out, size_t max)
{
    for (size_t n = 0; n < max; n++) {
        out[n] = read_count(&text, ",", limit); /* "" ends it, too */
        if (out[n] == 0)
            return 0;
        if (*text++ == '\0')
            return n + 1;
    }
    return 0;
}

size_t
options_mixes(const char *text, struct mix *out, size_t max)
{
    for (size_t n = 0; n < max; n++) {
        out[n].producers = read_count(&text, "x", THREADS_LIMIT);
        if (out[n].producers == 0 || *text++ == '\0')
            return 0;
        out[n].consumers = read_count(&text, ",", THREADS_LIMIT);
        if (out[n].consumers == 0)
            return 0;
        if (*text++ == '\0')
            return n + 1;
    }
    return 0;
}

bool
options_are_counts(const char *text)
{
    unsigned out[OPTIONS_THREADS_MAX];

    return options_counts(text, 1u << 31, out, OPTIONS_THREADS_MAX) > 0;
}

bool
options_are_mixes(const char *text)
{
    struct mix out[OPTIONS_THREADS_MAX];

    return options_mixes(text, out, OPTIONS_THREADS_MAX) > 0;
}

/* Whether the list has the word; both have no blanks. */
static bool
has_word(const char *list, const char *word, size_t length)
{
    for (;;) {
        const size_t n = strcspn(list, ",");
        if (n == length && strncmp(list, word, n) == 0)
            return true;
        if (list[n] == '\0')
            return false;
        list += n + 1;
    }
}

static bool
is_valid(const struct extra *e, const char *value)
{
    if (e->words == NULL)
        return e->valid == NULL || e->valid(value);
    for (;;) {
        const size_t n = strcspn(value, ",");
        if (!has_word(e->words, value, n))
            return false;
        if (value[n] == '\0')
            return true;
        value += n + 1;
    }
}

static bool
take_extra(struct options *o, const struct extra *e, const char *value)
{
    if (e->argument != NULL && !is_valid(e, value)) {
        complain("--%s %s: it takes %s", e->name, value,
                 e->words != NULL ? e->words : e->argument);
        return false;
    }
    size_t at = 0;
    while (at < o->extra_count && o->extras[at].extra != e)
        at++;
    if (at == OPTIONS_EXTRAS_MAX) {
        complain("--%s: too many options", e->name);
        return false;
    }
    o->extras[at].extra = e;
    o->extras[at].value = e->argument != NULL ? value : "";
    o->extra_count = at == o->extra_count ? at + 1 : o->extra_count;
    return true;
}

/* The value of a common option; false if it is no good. */
static bool
take(struct options *o, enum common which, const char *value)
{
    const char *text = value;

    switch (which) {
    case DURATION:
        return read_seconds(value, &o->duration_s);
    case THREADS:
        o->thread_counts = options_counts(value, THREADS_LIMIT, o->threads,
                                          OPTIONS_THREADS_MAX);
        return o->thread_counts > 0;
    case ROUNDS:
        o->rounds = read_count(&text, "", ROUNDS_LIMIT);
        return o->rounds > 0;
    case SEED:
        return read_seed(value, &o->seed);
    case PIN:
        o->pin = true;
        return true;
    case JSON:
        o->json = value;
        return value[0] != '\0';
    case CSV:
        o->csv = value;
        return value[0] != '\0';
    case HELP:
        o->help = true;
        return true;
    case COMMON_COUNT:
        break;
    }
    return false;
}

/* Write the names of all options into `text`, as much of them as fits. */
static void
list_options(char *text, size_t size, const struct extra *const *extras,
             size_t extra_count)
{
    size_t at = 0;

    text[0] = '\0';
    for (size_t i = 0; i < COMMON_COUNT + extra_count && at < size; i++) {
        const char *name =
            i < COMMON_COUNT ? common[i].name : extras[i - COMMON_COUNT]->name;
        at += (size_t)snprintf(text + at, size - at, " --%s", name);
    }
}

/* The seed if none is given; the clock is only for a system without any. */
static uint64_t
new_seed(void)
{
    uint64_t seed;

    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
        seed = (uint64_t)clock_ns();
    return seed;
}

/* The table that getopt_long wants; its `val` is 1 + the place in ours. */
static void
fill(struct option *table, const struct extra *const *extras, size_t count)
{
    for (size_t i = 0; i < COMMON_COUNT + count; i++) {
        const bool own = i >= COMMON_COUNT;
        table[i].name = own ? extras[i - COMMON_COUNT]->name : common[i].name;
        const char *argument =
            own ? extras[i - COMMON_COUNT]->argument : common[i].argument;
        table[i].has_arg = argument != NULL ? required_argument : no_argument;
        table[i].val = (int)i + 1;
    }
}

static bool
is_alright(const struct options *o)
{
    if (o->json != NULL && o->csv != NULL && strcmp(o->json, o->csv) == 0) {
        complain("--json and --csv: both want %s", o->csv);
        return false;
    }
    if (o->json != NULL && !files_have_json()) {
        complain("--json: this build has no jansson; --csv works");
        return false;
    }
    return true;
}

int
options_parse(struct options *o, int argc, char **argv, const char *command,
              const struct extra *const *extras, size_t extra_count)
{
    struct option table[COMMON_COUNT + 2 * OPTIONS_EXTRAS_MAX + 1] = {0};
    char known[1024];
    int got;

    if (extra_count > 2 * OPTIONS_EXTRAS_MAX)
        extra_count = 2 * OPTIONS_EXTRAS_MAX;
    *o = (struct options){.seed = new_seed()};
    fill(table, extras, extra_count);
    list_options(known, sizeof(known), extras, extra_count);
    opterr = 0;
    optind = 1;
    while ((got = getopt_long(argc, argv, ":", table, NULL)) != -1) {
        if (got == ':') {
            complain("%s: it takes a value", argv[optind - 1]);
            return -1;
        }
        if (got == '?') {
            complain("%s: wrong option; %s knows%s", argv[optind - 1], command,
                     known);
            return -1;
        }
        const size_t i = (size_t)got - 1;
        if (i >= COMMON_COUNT) {
            if (!take_extra(o, extras[i - COMMON_COUNT], optarg))
                return -1;
        } else if (!take(o, (enum common)i, optarg)) {
            complain("--%s %s: it takes %s", common[i].name, optarg,
                     common[i].wants);
            return -1;
        }
    }
    return is_alright(o) ? optind : -1;
}

static void
help_line(FILE *f, const char *name, const char *argument, const char *help)
{
    char left[WORD_BYTES];

    snprintf(left, sizeof(left), "--%s%s%s", name, argument != NULL ? " " : "",
             argument != NULL ? argument : "");
    fprintf(f, "  %-20s %s\n", left, help);
}

void
options_help(FILE *f, const struct extra *const *extras, size_t extra_count)
{
    for (size_t i = 0; i < extra_count; i++)
        help_line(f, extras[i]->name, extras[i]->argument, extras[i]->help);
    for (size_t i = 0; i < COMMON_COUNT; i++)
        help_line(f, common[i].name, common[i].argument, common[i].help);
}

void
options_write(FILE *f, const struct options *o)
{
    if (o->duration_s > 0)
        fprintf(f, " --duration %.9g", o->duration_s);
    for (size_t i = 0; i < o->thread_counts; i++)
        fprintf(f, "%s%u", i == 0 ? " --threads " : ",", o->threads[i]);
    if (o->rounds > 0)
        fprintf(f, " --rounds %u", o->rounds);
    if (o->pin)
        fputs(" --pin", f);
    for (size_t i = 0; i < o->extra_count; i++) {
        fprintf(f, " --%s", o->extras[i].extra->name);
        if (o->extras[i].extra->argument != NULL)
            fprintf(f, " %s", o->extras[i].value);
    }
    fprintf(f, " --seed 0x%llx", (unsigned long long)o->seed);
}

const char *
options_extra(const struct options *o, const char *name)
{
    for (size_t i = 0; i < o->extra_count; i++)
        if (strcmp(o->extras[i].extra->name, name) == 0)
            return o->extras[i].value;
    return NULL;
}

bool
options_include(const struct options *o, const char *name, const char *word)
{
    const char *list = options_extra(o, name);

    return list == NULL || has_word(list, word, strlen(word));
}
