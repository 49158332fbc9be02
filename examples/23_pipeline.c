/* SPDX-License-Identifier: MIT */
/*
 * 23_pipeline.c - three stages, each a thread, with a queue before each of the
 * last two: read, change, write.
 *
 * All three work at the same time, on different words, and keep their order.
 * The small capacity makes a slow stage slow down those before it.  The end
 * travels along: each stage closes what it fills once its input has ended.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

static char text[][8] = {"warp", "weft", "shed", "heddle", "reed"};

enum { WORDS = sizeof(text) / sizeof(text[0]) };

static weft_queue *words;
static weft_queue *capitals;

static void *
read_words(void *unused)
{
    for (int i = 0; i < WORDS; i++)
        if (weft_queue_put(words, text[i], WEFT_FOREVER) != WEFT_OK)
            break;
    weft_queue_close(words, WEFT_DRAIN);
    return unused;
}

static void *
capitalise(void *unused)
{
    for (void *item; weft_queue_get(words, &item, WEFT_FOREVER) == WEFT_OK;) {
        char *word = item;
        word[0] = (char)toupper((unsigned char)word[0]);
        if (weft_queue_put(capitals, word, WEFT_FOREVER) != WEFT_OK)
            break;
    }
    weft_queue_close(capitals, WEFT_DRAIN);
    return unused;
}

int
main(void)
{
    const weft_queue_options options = {.capacity = 2};
    weft_thread *reader, *changer;

    if (weft_queue_create(&words, &options) != WEFT_OK ||
        weft_queue_create(&capitals, &options) != WEFT_OK ||
        weft_thread_start(&reader, read_words, NULL, NULL) != WEFT_OK ||
        weft_thread_start(&changer, capitalise, NULL, NULL) != WEFT_OK)
        abort();
    for (void *word; weft_queue_get(capitals, &word, WEFT_FOREVER) == WEFT_OK;)
        printf("%s\n", (char *)word);
    weft_thread_release(reader); /* both are joined as main returns */
    weft_thread_release(changer);
}
