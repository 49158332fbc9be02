/* SPDX-License-Identifier: MIT */
/*
 * 30_mergesort.c - fork one half, sort the other, join.
 *
 * A fork costs two stores, so it may be for little, here for two numbers.  The
 * task lies in the frame that forks it and is joined before that returns, the
 * youngest first.  The strand is passed on to whatever forks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/weft.h>

enum { N = 100000 };

struct part {
    weft_task task; /* first */
    int *at, *room;
    size_t n;
};

static void
merge(const struct part *p, size_t middle)
{
    for (size_t i = 0, a = 0, b = middle; i < p->n; i++)
        if (b == p->n || (a < middle && p->at[a] <= p->at[b]))
            p->room[i] = p->at[a++];
        else
            p->room[i] = p->at[b++];
    memcpy(p->at, p->room, p->n * sizeof(int));
}

static void
sort(weft_strand s, weft_task *task)
{
    struct part *p = (struct part *)task;
    const size_t h = p->n / 2;
    struct part left = {{0}, p->at, p->room, h};
    struct part right = {{0}, p->at + h, p->room + h, p->n - h};

    if (p->n < 2)
        return;
    weft_fork(&s, &right.task, sort);
    sort(s, &left.task);
    weft_join(&s, &right.task);
    merge(p, h);
}

int
main(void)
{
    static int numbers[N], room[N];
    struct part all = {{0}, numbers, room, N};

    for (int i = 0; i < N; i++)
        numbers[i] = (int)(i * 7919L % N); /* each once */
    if (weft_pool_run(weft_pool_default(), &all.task, sort) != WEFT_OK)
        abort();
    printf("%d, %d, ... %d\n", numbers[0], numbers[1], numbers[N - 1]);
}
