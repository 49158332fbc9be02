/* SPDX-License-Identifier: MIT */
/*
 * 29_map_stream.c - a function for each item of a stream, four at a time.
 *
 * The stream may be endless: an item is taken only when there is room in the
 * window, so at most four are in memory.  The results come in the order of the
 * items, whichever is done first.  `next` is called by the thread that reads,
 * never by a worker, so it needs no lock.  The NULL after it may be a function
 * that frees the items which are left when the iterator ends early.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/weft.h>

static char stream[][10] = {"warp", "weft", "heddle", "shuttle",
                            "reed", "loom", "bobbin", "selvedge"};
static size_t taken;

static bool
next(void *ctx, void **item)
{
    (void)ctx;
    if (taken == sizeof(stream) / sizeof(stream[0]))
        return false;
    *item = stream[taken++];
    return true;
}

static void *
reverse(void *item)
{
    char *text = item;

    for (size_t i = 0, k = strlen(text); i + 1 < k; i++) {
        const char c = text[--k];
        text[k] = text[i];
        text[i] = c;
    }
    return text;
}

int
main(void)
{
    weft_map_iter *it;
    void *text;

    if (weft_map_iter_create(&it, weft_pool_default(), reverse, next, NULL,
                             NULL, 4, WEFT_FOREVER) != WEFT_OK)
        abort();
    while (weft_map_iter_next(it, &text) == WEFT_OK)
        printf("%s\n", (char *)text);
    weft_map_iter_destroy(it);
}
