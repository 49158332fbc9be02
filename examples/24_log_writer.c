/* SPDX-License-Identifier: MIT */
/*
 * 24_log_writer.c - threads that log do not wait for the disk: they put lines
 * into a queue, and one thread writes them.  Where the disk is too slow the put
 * waits, up to its deadline.  WEFT_DRAIN: all that was logged is written.
 */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

enum { CLIENTS = 3, REQUESTS = 100, LINE = 40 };

static weft_queue *lines;
static int written;

static void *
write_lines(void *file)
{
    for (void *line; weft_queue_get(lines, &line, WEFT_FOREVER) == WEFT_OK;) {
        written += fprintf(file, "%s\n", (char *)line) > 0;
        free(line);
    }
    return NULL;
}

static void *
serve(void *client)
{
    for (int i = 0; i < REQUESTS; i++) {
        char *line = malloc(LINE);
        if (line == NULL)
            abort();
        snprintf(line, LINE, "%s: request %d", (char *)client, i);
        if (weft_queue_put(lines, line, weft_in_s(60)) != WEFT_OK)
            free(line); /* lost */
    }
    return NULL;
}

int
main(void)
{
    static char *const clients[CLIENTS] = {"Ada", "Ben", "Cleo"};
    weft_thread *writer, *t[CLIENTS];

    if (weft_queue_create(&lines, &(weft_queue_options){.capacity = 64}) ||
        weft_thread_start(&writer, write_lines, tmpfile(), NULL))
        abort();
    for (int i = 0; i < CLIENTS; i++)
        if (weft_thread_start(&t[i], serve, clients[i], NULL))
            abort();
    for (int i = 0; i < CLIENTS; weft_thread_release(t[i++]))
        if (weft_thread_join(t[i], WEFT_FOREVER, NULL) != WEFT_OK)
            abort();
    weft_queue_close(lines, WEFT_DRAIN);
    if (weft_thread_join(writer, WEFT_FOREVER, NULL) == WEFT_OK)
        printf("%d lines written\n", written);
    weft_thread_release(writer);
    weft_queue_destroy(lines);
}
