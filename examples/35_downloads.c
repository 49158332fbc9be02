/* SPDX-License-Identifier: MIT */
/*
 * 35_downloads.c - several downloads at once: 35_downloads MILLISECONDS URL...
 *
 * After the deadline those that run are asked to stop: libcurl (-lcurl) looks.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

static size_t
skip(char *data, size_t one, size_t n, void *ctx)
{
    return (void)data, (void)ctx, one * n; /* as if it were written */
}

static int
stop(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    return (void)ctx, (void)a, (void)b, (void)c, (void)d, weft_task_cancelled();
}

static void *
fetch(void *url)
{
    CURL *c = curl_easy_init();

    curl_easy_setopt(c, CURLOPT_URL, (char *)url);
    curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L); /* there are threads */
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, stop);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, skip);
    const CURLcode code = curl_easy_perform(c);
    curl_easy_cleanup(c);
    return code ? weft_fail((int)code, "%s", curl_easy_strerror(code)) : url;
}

int
main(int argc, char **argv)
{
    weft_future *f[100];
    const weft_error *e;

    if (argc < 3 || argc > 100 || curl_global_init(CURL_GLOBAL_ALL))
        return fprintf(stderr, "usage: %s MILLISECONDS URL...\n", argv[0]), 2;
    for (int i = 2; i < argc; i++)
        if (weft_pool_submit(weft_pool_default(), fetch, argv[i], &f[i]))
            abort();
    const weft_deadline end = weft_in_ms(atoi(argv[1]));
    for (int i = 2; i < argc; i++) {
        const enum weft_status s = weft_future_error(f[i], end, &e);
        printf("%s: %s\n", argv[i],
               s == WEFT_FAILED ? e->message : weft_status_text(s));
        if (!weft_future_cancel(f[i]))
            weft_future_request_stop(f[i]); /* nothing, if it is done */
        weft_future_release(f[i]);
    }
}
