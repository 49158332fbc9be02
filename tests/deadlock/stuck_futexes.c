/* does stuck --stuck=1: two threads and two locks of the program's own, on
 * futexes. */
#include "common.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>

static _Atomic int one;
static _Atomic int two;

/* 0: free, 1: taken, 2: taken, and somebody waits. */
static void
take(_Atomic int *word)
{
    int was = 0;

    if (atomic_compare_exchange_strong(word, &was, 1))
        return;
    while (atomic_exchange(word, 2) != 0)
        syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
}

static void *
forward(void *unused)
{
    take(&one);
    meet();
    take(&two);
    return unused;
}

static void *
backward(void *unused)
{
    take(&two);
    meet();
    take(&one);
    return unused;
}

int
main(void)
{
    run_both(forward, backward);
    return 0;
}
