/* SPDX-License-Identifier: MIT */
/*
 * 27_timeout_and_cancel.c - give up waiting, call off, ask to stop.
 *
 * These are three things.  A result that times out changes nothing: the task
 * goes on and can be asked again.  weft_future_cancel calls off what has not
 * begun.  What runs can only be asked to stop, and it stops when it looks: a
 * task that never calls weft_task_cancelled goes on to its end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

static weft_event begun = WEFT_EVENT_INIT;

static void *
search(void *arg)
{
    weft_event_set(&begun);
    while (!weft_task_cancelled())
        ; /* one more step of a long search */
    return arg;
}

static void *
rest(void *arg)
{
    return arg;
}

int
main(void)
{
    const weft_pool_options options = {.workers = 1};
    weft_future *running;
    weft_future *waiting;
    weft_pool *pool;
    void *result;

    if (weft_pool_create(&pool, &options) != WEFT_OK ||
        weft_pool_submit(pool, search, "as far as it came", &running) !=
            WEFT_OK ||
        weft_pool_submit(pool, rest, NULL, &waiting) != WEFT_OK)
        abort();
    weft_event_wait(&begun, WEFT_FOREVER);
    enum weft_status s = weft_future_result(running, weft_in_ms(10), &result);
    printf("the search: %s\n", weft_status_text(s));
    printf("called off, the one that waits: %s\n",
           weft_future_cancel(waiting) ? "yes" : "no");
    printf("called off, the one that runs: %s\n",
           weft_future_cancel(running) ? "yes" : "no");
    weft_future_request_stop(running);
    if (weft_future_result(running, WEFT_FOREVER, &result) == WEFT_OK)
        printf("asked to stop: %s\n", (char *)result);
    s = weft_future_result(waiting, WEFT_FOREVER, NULL);
    printf("the other: %s\n", weft_status_text(s));
    weft_future_release(running);
    weft_future_release(waiting);
    weft_pool_destroy(pool);
}
