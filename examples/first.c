/* SPDX-License-Identifier: MIT */
/* first.c - two threads count the same thing at once, and nothing is lost. */
#include <pthread.h>
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
    pthread_t other;

    if (weft_counter_create(&sheep, WEFT_COUNTER_PERCPU) != WEFT_OK ||
        pthread_create(&other, NULL, count, sheep) != 0)
        return 1;
    count(sheep);
    pthread_join(other, NULL);
    printf("%lld sheep\n", (long long)weft_counter_sum(sheep));
    weft_counter_destroy(sheep);
}
