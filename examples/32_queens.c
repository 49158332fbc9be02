/* SPDX-License-Identifier: MIT */
/*
 * 32_queens.c - in how many ways can queens stand, none in another's way?
 *
 * Each place for the next queen is a task, forked in a loop and taken back in
 * the opposite order, the youngest first.  Where weft_reclaim says that a task
 * is still ours, what follows is a plain call.
 */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

enum { MOST = 10 };

struct place {
    weft_task task; /* first; nothing in it is to be set */
    unsigned board, columns, left, right; /* bits: all; taken, also aslant */
    long ways;
};

static void run(weft_strand s, weft_task *task);

static long
count(weft_strand s, const struct place *p)
{
    unsigned open = p->board & ~(p->columns | p->left | p->right);
    struct place next[MOST];
    int n = 0;
    long ways = p->columns == p->board;

    for (; open != 0; open &= open - 1) {
        const unsigned queen = open & ~(open - 1);
        next[n].board = p->board;
        next[n].columns = p->columns | queen;
        next[n].left = (p->left | queen) << 1;
        next[n].right = (p->right | queen) >> 1;
        weft_fork(&s, &next[n++].task, run);
    }
    while (n-- > 0)
        ways +=
            weft_reclaim(&s, &next[n].task) ? count(s, &next[n]) : next[n].ways;
    return ways;
}

static void
run(weft_strand s, weft_task *task)
{
    ((struct place *)task)->ways = count(s, (struct place *)task);
}

int
main(void)
{
    for (int n = 6; n <= MOST; n += 2) {
        struct place empty = {.board = (1u << n) - 1};
        if (weft_pool_run(weft_pool_default(), &empty.task, run) != WEFT_OK)
            abort();
        printf("%d queens: %ld ways\n", n, empty.ways);
    }
}
