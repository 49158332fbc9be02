/* could 2: money goes from one account to the other, and back. */
#include "common.h"

struct account {
    pthread_mutex_t lock;
    long money;
};

static struct account anna = {MUTEX, 100};
static struct account bert = {MUTEX, 100};

static __attribute__((noinline)) void
pay(struct account *from, struct account *to, long sum)
{
    lock(&from->lock);
    lock(&to->lock); /* here */
    from->money -= sum;
    to->money += sum;
    unlock(&to->lock);
    unlock(&from->lock);
}

static void *
forward(void *unused)
{
    pay(&anna, &bert, 10);
    return unused;
}

static void *
backward(void *unused)
{
    pay(&bert, &anna, 5);
    return unused;
}

int
main(void)
{
    run_apart(forward, backward);
    return 0;
}
