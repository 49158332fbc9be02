/* SPDX-License-Identifier: MIT */
/* first.c - two threads count the same thing at once, and nothing is lost. */
#include <stdio.h>
#include <weft/weft.h>

static void *
count(void *sheep)
{
    for (int i = 0; i < 10000000; i++)
        weft_counter_add(sheep, 1);
    return NULL;
}

int
main(void)
{
    weft_counter *sheep;
    weft_thread *other;

    if (weft_counter_create(&sheep, WEFT_COUNTER_PERCPU) != WEFT_OK ||
        weft_thread_start(&other, count, sheep, NULL) != WEFT_OK)
        return 1;
    count(sheep);
    if (weft_thread_join(other, WEFT_FOREVER, NULL) != WEFT_OK)
        return 1;
    printf("%lld sheep\n", (long long)weft_counter_sum(sheep));
    weft_thread_release(other);
    weft_counter_destroy(sheep);
}
