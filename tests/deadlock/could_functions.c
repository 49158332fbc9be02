/* could 2: the second lock is taken some calls further down. */
#include "common.h"

static pthread_mutex_t store = MUTEX;
static pthread_mutex_t journal = MUTEX;

static __attribute__((noinline)) void
write_line(void)
{
    lock(&journal); /* here */
    unlock(&journal);
}

static __attribute__((noinline)) void
read_store(void)
{
    lock(&store); /* here */
    unlock(&store);
}

static void *
forward(void *unused)
{
    lock(&store);
    write_line();
    unlock(&store);
    return unused;
}

static void *
backward(void *unused)
{
    lock(&journal);
    read_store();
    unlock(&journal);
    return unused;
}

int
main(void)
{
    run_apart(forward, backward);
    return 0;
}
