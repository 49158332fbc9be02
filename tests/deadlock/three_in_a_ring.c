/* does cycle: three philosophers, each with a left fork. */
#include "common.h"

#define SEATS 3

static pthread_mutex_t fork_of[SEATS] = {MUTEX, MUTEX, MUTEX};
static pthread_barrier_t all;

static void *
dine(void *arg)
{
    const size_t seat = (size_t)arg;

    lock(&fork_of[seat]);
    pthread_barrier_wait(&all);
    lock(&fork_of[(seat + 1) % SEATS]);
    return NULL;
}

int
main(void)
{
    must(pthread_barrier_init(&all, NULL, SEATS));
    const pthread_t a = start(dine, (void *)0);
    start(dine, (void *)1);
    start(dine, (void *)2);
    join(a);
    return 0;
}
