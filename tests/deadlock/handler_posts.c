/* cannot: all sleep until the handler of a signal posts. */
#include "common.h"

static sem_t s;

static void
post(int unused)
{
    (void)unused;
    sem_post(&s);
}

int
main(void)
{
    sem_init(&s, 0, 0);
    signal(SIGALRM, post);
    alarm(1);
    while (sem_wait(&s) != 0)
        continue;
    return 0;
}
