/* SPDX-License-Identifier: MIT */
/*
 * options.h - what the command line asked for.
 *
 * A value of 0 means that nothing was said and the scenario takes its own.
 */
#ifndef STRESS_OPTIONS_H
#define STRESS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define OPTIONS_THREADS_MAX 64 /* thread counts in one list */
#define OPTIONS_EXTRAS_MAX  16 /* options of its own that a run can be given */

/*
 * An option that only some scenarios have.  With `words` its value is one or
 * more of these words with commas between them, else whatever `valid` takes.
 */
struct extra {
    const char *name;     /* without the dashes; NULL ends an array */
    const char *argument; /* what --help calls it, "PxC,..."; NULL: none */
    const char *help;
    const char *words;               /* "lockfree,mutex"; NULL: see `valid` */
    bool (*valid)(const char *text); /* NULL: anything */
};

struct options {
    double duration_s;
    unsigned threads[OPTIONS_THREADS_MAX];
    size_t thread_counts;
    unsigned rounds;
    uint64_t seed; /* always set: given, or from the system's entropy */
    bool pin;
    const char *json; /* NULL: no such file is wanted */
    const char *csv;
    bool help;
    struct {
        const struct extra *extra;
        const char *value; /* "" for one without argument */
    } extras[OPTIONS_EXTRAS_MAX];
    size_t extra_count;
};

/* A mix of producers and consumers. */
struct mix {
    unsigned producers;
    unsigned consumers;
};

/*
 * Read the options in `argv`; what is none of them is moved to the end.
 *
 *   extras     the `extra_count` options that are known beside the common ones
 *   command    what the complaint about an unknown one calls the run
 *   returns    the place of the first word that is no option; -1 after a
 *              complaint of one line
 */
int options_parse(struct options *o, int argc, char **argv, const char *command,
                  const struct extra *const *extras, size_t extra_count);

/* Write the options as `--help` shows them. */
void options_help(FILE *f, const struct extra *const *extras,
                  size_t extra_count);

/*
 * Write the options that make the same run again, with a space before each.
 * Files are left out: a repeat does not overwrite what the first run found.
 */
void options_write(FILE *f, const struct options *o);

/* The value of the extra option `name`, or NULL if it was not given. */
const char *options_extra(const struct options *o, const char *name);

/* Whether the run is to include `word`: the list of `name` has it, or no list
 * was given. */
bool options_include(const struct options *o, const char *name,
                     const char *word);

/*
 * Read a list of whole numbers from 1 to `limit`, "1,2,4" (of mixes,
 * "1x1,2x2") into `out`.
 *
 *   returns    how many; 0 if the text is not such a list or has more than
 *              `max` entries
 */
size_t options_counts(const char *text, unsigned limit, unsigned *out,
                      size_t max);
size_t options_mixes(const char *text, struct mix *out, size_t max);

/* For `valid` of an extra option: a list of such. */
bool options_are_counts(const char *text);
bool options_are_mixes(const char *text);

#endif /* STRESS_OPTIONS_H */
