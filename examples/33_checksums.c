/* SPDX-License-Identifier: MIT */
/*
 * 33_checksums.c - what `sum *` prints in this folder, eight files at a time.
 *
 * A name is read when the window has room, by the thread that reads results.
 */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/weft.h>

static bool
next(void *folder, void **item)
{
    const struct dirent *entry = readdir(folder);

    if (entry != NULL && (*item = strdup(entry->d_name)) == NULL)
        abort();
    return entry != NULL;
}

static void *
add_up(void *name)
{
    FILE *in = fopen(name, "r");
    char *line = calloc(1, 300);
    size_t bytes = 1023; /* to round up */
    unsigned sum = 0;

    if (line == NULL)
        abort();
    for (int c; in != NULL && (c = getc_unlocked(in)) != EOF; bytes++)
        sum = ((sum >> 1 | sum << 15) + (unsigned)c) & 0xffff;
    if (in != NULL && !ferror(in))
        snprintf(line, 300, "%05u %5zu %s\n", sum, bytes / 1024, (char *)name);
    if (in != NULL)
        fclose(in);
    free(name);
    return line;
}

int
main(void)
{
    DIR *folder = opendir(".");
    weft_map_iter *it;

    if (folder == NULL ||
        weft_map_iter_create(&it, weft_pool_default(), add_up, next, NULL,
                             folder, 8, WEFT_FOREVER) != WEFT_OK)
        abort();
    for (void *line; weft_map_iter_next(it, &line) == WEFT_OK; free(line)) {
        fputs(line, stdout);
        fputc('.', stderr);
    }
    weft_map_iter_destroy(it);
    closedir(folder);
}
