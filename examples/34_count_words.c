/* SPDX-License-Identifier: MIT */
/*
 * 34_count_words.c - the words of many files, as `LC_ALL=C wc -w` has them.
 *
 * weft_parallel_map calls a function for each item of an array, on all workers,
 * and returns when that is done; here the results take the place of the items.
 * If one fails no more are begun, and the call says which.
 */
#define _POSIX_C_SOURCE 200809L /* getc_unlocked: the file is this task's own */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

static void *
count(void *name)
{
    FILE *in = fopen(name, "r");
    uintptr_t words = 0;
    bool inside = false; /* a word */

    if (in == NULL)
        return weft_fail(errno, "cannot open %s", (char *)name);
    for (int c; (c = getc_unlocked(in)) != EOF;) {
        words += !inside && isgraph(c);
        inside = isgraph(c) || (inside && !isspace(c));
    }
    const bool bad = ferror(in) != 0;
    fclose(in);
    return bad ? weft_fail(EIO, "cannot read %s", (char *)name) : (void *)words;
}

int
main(int argc, char **argv)
{
    const size_t n = argc > 1 ? (size_t)argc - 1 : 0;
    void **files = calloc(n + 1, sizeof(*files)); /* names, then words */
    weft_failure failure;
    uintptr_t all = 0;

    if (files == NULL)
        abort();
    for (size_t i = 0; i < n; i++)
        files[i] = argv[i + 1];
    const enum weft_status s = weft_parallel_map(
        weft_pool_default(), count, files, files, n, WEFT_FOREVER, &failure);
    if (s == WEFT_FAILED)
        fprintf(stderr, "%s\n", failure.error->message);
    for (size_t i = 0; i < n && s == WEFT_OK; i++) {
        printf("%ju %s\n", (uintmax_t)files[i], argv[i + 1]);
        all += (uintptr_t)files[i];
    }
    if (s == WEFT_OK)
        printf("%ju total\n", (uintmax_t)all);
    free(files);
    return s == WEFT_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
