/* does joins: two threads join each other. */
#include "common.h"

static pthread_t threads[2];

static void *
routine(void *arg)
{
    meet();
    join(*(pthread_t *)arg);
    return NULL;
}

int
main(void)
{
    must(pthread_create(&threads[0], NULL, routine, &threads[1]));
    must(pthread_create(&threads[1], NULL, routine, &threads[0]));
    pthread_exit(NULL);
}
